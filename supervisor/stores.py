"""PostgreSQL and Valkey as one: the embedded ones, or those that the settings name."""

from supervisor.configuration import Configuration
from supervisor.home import Home
from supervisor.output import Output
from supervisor.postgres import Postgres
from supervisor.processes import Child, stop_together
from supervisor.stopping import StopSwitch
from supervisor.valkey import Valkey


class Stores:
    def __init__(
        self,
        configuration: Configuration,
        home: Home,
        output: Output,
        *,
        throw_away: bool = False,
    ) -> None:
        self.configuration = configuration
        self.home = home
        self.output = output
        wants_postgres = not configuration.database_url
        wants_valkey = not configuration.redis_url
        self.postgres = Postgres(home, output, throw_away=throw_away) if wants_postgres else None
        self.valkey = Valkey(home, output) if wants_valkey else None

    def end_leftovers(self) -> bool:
        """End the stores that an earlier start left running; whether there were any."""
        valkey = self.valkey is not None and self.valkey.end_leftover()
        postgres = self.postgres is not None and self.postgres.end_leftover()
        return valkey or postgres

    def start(self, switch: StopSwitch) -> None:
        if self.postgres:
            self.postgres.start(switch)
        if self.valkey:
            self.valkey.start(switch)
        self.home.write_environment(self.environment())

    def environment(self) -> dict[str, str]:
        """How the product reaches the stores."""
        database = self.postgres.url if self.postgres else self.configuration.database_url
        redis = self.valkey.url if self.valkey else self.configuration.redis_url
        return {"DATABASE_URL": database, "REDIS_URL": redis}

    def children(self) -> list[Child]:
        return [store.child for store in (self.valkey, self.postgres) if store]

    def stop(self) -> None:
        """Valkey first, PostgreSQL last: it holds what must not be lost."""
        for child in self.children():
            stop_together([child])
