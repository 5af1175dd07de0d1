"""Layer 2: drawings of a topology: what feeds them, and one jinja2 template for each."""
