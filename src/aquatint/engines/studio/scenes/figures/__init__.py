"""Drawing tools and small figures shared by illustrated scenes. Not scenes themselves."""
