from importlib import import_module

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"

    def ready(self) -> None:
        import_module("knowledge.forgetting")  # hears of sources that are deleted
