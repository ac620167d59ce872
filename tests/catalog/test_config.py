"""Settings: where they come from, which win, and what is said of those that can't work."""

import os
import stat
import threading
from pathlib import Path

import pytest

from catalog.config import Settings, SettingsError, load, prepare_data_dir, secret_key


def test_defaults_need_nothing() -> None:
    assert load({}) == Settings()


def test_overrides_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text('port = 1111\nhost = "0.0.0.0"\nworkers = 7\ndemo = true\n', encoding="utf-8")
    given = {"CATALOG_CONFIG": str(file), "CATALOG_PORT": "2222", "CATALOG_HOST": "::1"}
    settings = load(given, port=3333, host=None)
    assert (settings.port, settings.host, settings.workers, settings.demo) == (3333, "::1", 7, True)


@pytest.mark.parametrize(
    ("name", "value", "sign"),
    [
        ("PORT", "many", "a whole number"),
        ("PORT", "0", "between 1 and 65535"),
        ("PORT", "70000", "between 1 and 65535"),
        ("WORKERS", "0", "at least 1"),
        ("THREADS", "-1", "at least 1"),
        ("DEMO", "perhaps", "true or false"),
        ("READ_ONLY", "2", "true or false"),
        ("BASE_URL", "katalog.example.org", "https://katalog.example.org"),
        ("BASE_URL", "ftp://katalog.example.org", "https://katalog.example.org"),
        ("SECRET_KEY", "short", "at least 32"),
    ],
)
def test_a_value_that_cannot_work_stops_the_start_with_its_name(name: str, value: str, sign: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({f"CATALOG_{name}": value})
    assert f"CATALOG_{name}" in str(caught.value)
    assert sign in str(caught.value)


def test_a_secret_is_never_part_of_the_message() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"CATALOG_SECRET_KEY": "too-short-a-secret"})
    assert "too-short-a-secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["prot = 1\n", "port = = 1\n", None])
def test_a_file_that_is_wrong_or_missing_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "catalog.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"catalog\.toml"):
        load({"CATALOG_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", "sqlite:////srv/catalog/catalog.sqlite3"),
        ("postgres://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("postgresql://u:p@h/n", "postgresql+psycopg://u:p@h/n"),
        ("postgresql+psycopg://h/n", "postgresql+psycopg://h/n"),
        ("sqlite:////elsewhere.db", "sqlite:////elsewhere.db"),
    ],
)
def test_the_database_address_names_its_driver(url: str, wanted: str) -> None:
    assert Settings(data_dir=Path("/srv/catalog"), database_url=url).sqlalchemy_url == wanted


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "var")
    prepare_data_dir(settings)
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert list(settings.data_dir.iterdir()) == []


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="CATALOG_DATA_DIR"):
        prepare_data_dir(Settings(data_dir=tmp_path / "var"))


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(secret_key(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert secret_key(settings) == keys[0]
    assert os.listdir(tmp_path) == ["secret_key"]  # noqa: PTH208 - nothing else may be left over


def test_a_given_key_is_used_and_not_written(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key="k" * 40)
    assert secret_key(settings) == "k" * 40
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("content", ["", "short"])
def test_a_damaged_key_is_said_and_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret_key").write_text(content, encoding="ascii")
    with pytest.raises(SettingsError, match="damaged"):
        secret_key(Settings(data_dir=tmp_path))
    assert (tmp_path / "secret_key").read_text(encoding="ascii") == content
