"""The profile public: readers of the publishers' own files and interfaces; none needs a key."""
