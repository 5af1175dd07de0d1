"""Layer 2: the embedded MQTT broker, and a health probe for any broker."""
