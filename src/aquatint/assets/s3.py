"""Assets on S3-compatible storage. Needs the extra `aquatint[s3]`."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import io
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aquatint.assets.base import digest_of
from aquatint.domain.errors import ConfigurationError, NotFound, StoreUnavailable

T = TypeVar("T")

THREADS = 16  # the library blocks, so it works in threads of its own
PART = 16 << 20  # bytes; larger files go up in parts
CHUNK = 1 << 18
PAGE = 1000  # objects of one listing, the most that S3 gives
LINK_SECONDS = 3600  # how long a signed link lives; ours outlives it and signs anew
_GONE = ("NoSuchKey", "404", "NotFound")
_KINDS = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where the bucket is and how results are handed out. `prefix` ends with a slash or is empty."""

    bucket: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str
    public_base: str
    presign: bool

    @classmethod
    def of(
        cls,
        url: str,
        *,
        endpoint: str,
        region: str,
        access_key: str,
        secret_key: str,
        public_base: str,
        presign: bool,
    ) -> S3Settings:
        """From a URL such as `s3://bucket/prefix`. Raises ConfigurationError with every mistake."""
        parts = urlsplit(url)
        problems = []
        if parts.scheme != "s3" or not parts.netloc:
            problems.append("assets.url: must look like s3://bucket/prefix")
        if bool(access_key) != bool(secret_key):
            problems.append("assets.s3_access_key and assets.s3_secret_key: give both or none")
        if public_base and presign:
            problems.append("assets.s3_public_base and assets.s3_presign: one of them at most")
        if problems:
            raise ConfigurationError(problems)
        prefix = parts.path.strip("/")
        return cls(
            bucket=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            endpoint=endpoint,
            region=region,
            access_key=access_key,
            secret_key=secret_key,
            public_base=public_base.rstrip("/"),
            presign=presign,
        )


class S3Assets:
    """Implements assets.base.AssetStore. A write is durable when the storage says so."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._client: Any = None

    async def open(self) -> None:
        """Make the client; nothing is contacted, so a storage that comes up later does not stop the start."""
        self._client = await asyncio.to_thread(self._make)

    def _make(self) -> Any:
        settings = self._settings
        return boto3.client(
            "s3",
            endpoint_url=settings.endpoint or None,
            region_name=settings.region,
            aws_access_key_id=settings.access_key or None,
            aws_secret_access_key=settings.secret_key or None,
            config=Config(
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=20,  # of silence; connections that died unnoticed cost one of these each
                tcp_keepalive=True,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=THREADS * 2,
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
            ),
        )

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def put(self, data: bytes) -> str:
        """Uploaded even when it is there: that makes it young again for whoever sweeps."""
        digest = digest_of(data)
        extra = {"ContentType": _kind_of(data), "CacheControl": "public, max-age=31536000, immutable"}
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)

        def upload() -> None:
            bucket, key = self._settings.bucket, self._key(digest)
            self._client.upload_fileobj(io.BytesIO(data), bucket, key, ExtraArgs=extra, Config=parts)

        await self._call(upload)
        return digest

    async def read(self, digest: str) -> bytes:
        def download() -> bytes:
            answer = self._client.get_object(Bucket=self._settings.bucket, Key=self._key(digest))
            return bytes(answer["Body"].read())

        return await self._call(download)

    async def stream(self, digest: str) -> AsyncIterator[bytes]:
        answer = await self._call(
            functools.partial(self._client.get_object, Bucket=self._settings.bucket, Key=self._key(digest))
        )

        async def pieces() -> AsyncIterator[bytes]:
            body = answer["Body"]
            try:
                while piece := await self._call(functools.partial(body.read, CHUNK)):
                    yield piece
            finally:
                body.close()

        return pieces()

    def path(self, digest: str) -> str | None:
        return None

    async def link(self, digest: str) -> str | None:
        settings = self._settings
        if settings.public_base:
            return f"{settings.public_base}/{self._key(digest)}"
        if settings.presign:
            wanted = {"Bucket": settings.bucket, "Key": self._key(digest)}
            sign = functools.partial(
                self._client.generate_presigned_url, "get_object", Params=wanted, ExpiresIn=LINK_SECONDS
            )
            return str(await self._call(sign))
        return None

    async def delete_if_old(self, digest: str, older_than: float) -> bool:
        def delete() -> bool:
            bucket, key = self._settings.bucket, self._key(digest)
            try:
                changed = self._client.head_object(Bucket=bucket, Key=key)["LastModified"]
            except ClientError as error:
                if _code(error) in _GONE:
                    return False
                raise
            if (dt.datetime.now(dt.UTC) - changed).total_seconds() < older_than:
                return False
            self._client.delete_object(Bucket=bucket, Key=key)
            return True

        return await self._call(delete)

    async def digests(self) -> AsyncIterator[list[str]]:
        token: str | None = None
        while True:
            more = {"ContinuationToken": token} if token else {}
            page = await self._call(
                functools.partial(
                    self._client.list_objects_v2,
                    Bucket=self._settings.bucket,
                    Prefix=self._settings.prefix,
                    MaxKeys=PAGE,
                    **more,
                )
            )
            yield [item["Key"].rpartition("/")[2] for item in page.get("Contents", [])]
            token = page.get("NextContinuationToken")
            if not token:
                return

    def _key(self, digest: str) -> str:
        return f"{self._settings.prefix}{digest[:2]}/{digest}"

    async def _call(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread. Raises NotFound, and StoreUnavailable for everything else that goes wrong."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ClientError as error:
            if _code(error) in _GONE:
                raise NotFound("this file is no longer kept") from None
            raise StoreUnavailable(f"the asset storage refused: {_code(error)}") from error
        except (BotoCoreError, OSError) as error:
            raise StoreUnavailable(f"the asset storage cannot be reached: {type(error).__name__}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _kind_of(data: bytes) -> str:
    return next((kind for start, kind in _KINDS if data.startswith(start)), "application/octet-stream")
