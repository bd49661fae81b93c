"""How the embedded model is made, step by step, from public inputs; nothing here is needed to read a text."""
