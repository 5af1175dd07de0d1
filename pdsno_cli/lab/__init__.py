"""The lab of a topology: a private network of real responders, to try things out on."""
