"""The service: answers `GET /recommend/{user_id}` from the published model."""
