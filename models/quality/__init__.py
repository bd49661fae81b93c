"""How well annotators read: labelled sets, figures with intervals, and the floors below which no change may fall."""
