"""Who may call: keys, what each of them allows, and the check that every front end makes."""
