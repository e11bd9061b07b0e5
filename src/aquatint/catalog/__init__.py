"""The catalog: public model name to capabilities, sizes, price and routes. The models are data files."""
