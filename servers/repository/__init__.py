"""The models at run time: which versions there are, which are loaded, and how they change while serving."""
