"""The face of the MaxAPI contract: its mixed naming lives here and nowhere else."""
