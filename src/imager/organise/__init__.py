"""How people arrange their pictures: albums."""
