"""User interface: one folder per page and one that they share. The only folder beside pages/ that imports Streamlit."""
