"""Connections to PostgreSQL, and its refusals in our words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import asyncpg

from aquatint.domain.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = object

T = TypeVar("T")

SIZE = 12  # connections of one process
PATIENCE = 10.0  # seconds in which nothing succeeds: then the server is away and not just busy
STATEMENT_SECONDS = 30.0
CONNECT_SECONDS = 10.0
TRIES = 4  # of a transaction that loses against others

# A process that is cut off, or whose machine is gone, tells nobody: the server would keep for hours what an open
# transaction of it has locked, and nobody could run those tasks meanwhile.
FORSAKEN = 10.0  # seconds without a word in an open transaction, after which the server undoes it
_KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}

# What the server says when it refuses for now: nothing of the transaction stands.
_REFUSED = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    OSError,
    TimeoutError,
)


class RolledBack(StoreUnavailable):
    """It lost against another transaction (a deadlock, a conflict). Nothing of it stands, and it may simply be tried
    again.
    """


async def _as_it_is(connection: object) -> None:
    """Nothing changes a session after its start, and open transactions are ended anyway: a reset would be one more
    question.
    """


async def _begin(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """By statements: a pooler refuses to pass such settings on when they come with the connection."""
    settings = {**_KEEPALIVE, "idle_in_transaction_session_timeout": f"{FORSAKEN * 1000:.0f}"}
    await connection.execute(
        "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    )


class Pool:
    """Opened once inside the event loop. Every error that is the server's and not ours becomes StoreUnavailable."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._places = asyncio.Semaphore(SIZE)
        self._returned = 0

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        """Raises StoreUnavailable when the server cannot be reached, ConfigurationError for a URL that is wrong."""
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=2,
                max_size=SIZE,
                command_timeout=STATEMENT_SECONDS,
                timeout=CONNECT_SECONDS,
                init=_begin,
                reset=_as_it_is,
                server_settings={"application_name": "aquatint", "timezone": "UTC"},
            )
        except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidPasswordError, ValueError) as error:
            raise ConfigurationError([f"database.url: {error}"]) from None
        except _REFUSED as error:
            raise StoreUnavailable(f"the database cannot be reached: {error!r}") from error

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection, each statement in a transaction of its own. Raises StoreUnavailable."""
        if self._pool is None:
            raise StoreUnavailable("the database is not open")
        try:
            async with self._place(), self._pool.acquire() as connection:
                yield connection
        except asyncpg.TransactionRollbackError as error:
            raise RolledBack(f"the database refused: {error!r}") from error
        except _REFUSED as error:
            raise StoreUnavailable(f"the database refused: {error!r}") from error

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among the connections, in order of arrival. Raises TimeoutError when none comes free any more.

        However long the line is: as long as it moves, to give up and come again would only make it longer.
        """
        if not self._places.locked():
            await self._places.acquire()
        else:
            await self._in_line()
        try:
            yield
            self._returned += 1
        finally:
            self._places.release()

    async def _in_line(self) -> None:
        place = asyncio.ensure_future(self._places.acquire())
        try:
            while not place.done():
                returned = self._returned
                await asyncio.wait((place,), timeout=PATIENCE)
                if not place.done() and self._returned == returned:
                    raise TimeoutError(f"no connection came free in {PATIENCE:.0f} s")
        except BaseException:
            if not place.cancel() and not place.cancelled():
                self._places.release()  # it came at the last moment
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: all of it stands once the block is left, or nothing."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` did in one transaction; once more when it lost against another one. Raises StoreUnavailable."""
        for left in reversed(range(TRIES)):
            try:
                async with self.transaction() as db:
                    return await work(db)
            except RolledBack:
                if not left:
                    raise
                await asyncio.sleep(random.uniform(0.005, 0.05))  # noqa: S311  # so that they do not meet again
        raise AssertionError("unreachable")
