"""What the pages share: frame, widgets, jobs, caches and charts. The only folder beside pages/ that imports Streamlit."""
