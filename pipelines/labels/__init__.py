"""Gold samples: messages of a window drawn at random, labelled by people in workbooks, checked, and stored append-only."""
