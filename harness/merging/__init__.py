"""Results of several sessions made one: of the shards of one run, of several runners, of repeated runs."""
