"""``dovecot-uidvalidity``: what new folders get always rises."""

from pathlib import Path

from mailaccess.store.foreign import uidvalidity


def test_it_is_the_time_and_always_rises(tmp_path: Path) -> None:
    assert [uidvalidity.take(tmp_path, now) for now in (1000.5, 1000.6, 10.0, 2000.0)] == [1000, 1001, 1002, 2000]
    assert (tmp_path / "dovecot-uidvalidity").read_text() == "000007d0"
    assert [path.name for path in tmp_path.glob("dovecot-uidvalidity.*")] == ["dovecot-uidvalidity.000007d0"]


def test_either_file_alone_is_enough(tmp_path: Path) -> None:
    uidvalidity.take(tmp_path, 1000.0)
    (tmp_path / "dovecot-uidvalidity").unlink()
    assert uidvalidity.take(tmp_path, 5.0) == 1001
    (tmp_path / "dovecot-uidvalidity.000003e9").unlink()
    assert uidvalidity.take(tmp_path, 5.0) == 1002


def test_damage_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dovecot-uidvalidity").write_text("nonsense")
    (tmp_path / "dovecot-uidvalidity.xyz").touch()
    assert uidvalidity.take(tmp_path, 77.0) == 77
