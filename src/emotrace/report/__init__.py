"""The report: one offline HTML page for an analysed video."""
