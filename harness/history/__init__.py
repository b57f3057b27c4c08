"""What earlier sessions came to, by test and by board: kept, merged, judged; knows nothing of pytest."""
