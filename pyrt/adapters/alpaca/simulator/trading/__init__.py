"""The trading API and what stands behind it: orders, account, activities, updates."""
