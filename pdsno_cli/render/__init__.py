"""Layer 2: drawings of a topology: their data, and one jinja2 template for each format."""
