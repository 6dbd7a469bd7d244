"""Random populations of sources: draw histories, sum their fluxes, say how they are spread.

config ─► realisations (drawn) ─► pieces of histories ─► closed forms ─► statistics over realisations
"""
