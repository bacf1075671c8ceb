"""The front ends: translators around one data plane, and the command line that starts them."""
