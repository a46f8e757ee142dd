import SQLite

/// Stands for the journal until it is here.
enum Placeholder {}
