"""Cases with a known answer: what ``cyldiff validate`` runs, and its report."""
