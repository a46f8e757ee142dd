print("lkpush")
