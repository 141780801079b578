"""From the bytes of a Labfile to checked values; pure."""
