"""Layer 3: the three roles of controller: thin handlers over pure decisions."""
