"""The map of the REST API, its pages of results and its errors."""

urlpatterns: list[object] = []
