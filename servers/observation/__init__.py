"""What is known of every request while it is answered, and who is told when it ends."""
