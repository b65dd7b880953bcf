"""What people's routes take and give, as msgspec structs."""
