"""Names and keys are derived from the seed."""

from lab.load.seed_keys import Seed


def test_names_are_numbered_and_recognized() -> None:
    seed = Seed(prefix="load-")
    names = [seed.name(number) for number in range(3)]
    assert names == ["load-0000000", "load-0000001", "load-0000002"]
    assert all(map(seed.made, [*names, "load-12345678"]))
    assert not any(map(seed.made, ["demo", "load-", "load-12", "load-000000x", "xload-0000000", "load-0000000x"]))


def test_keys_are_derived_from_seed_and_name() -> None:
    assert Seed("a").key("alex").to_jwk() == Seed("a").key("alex").to_jwk()
    others = {Seed(text).key(name).public.thumbprint for text in ("a", "b") for name in ("alex", "sam")}
    assert len(others) == 4


def test_derived_keys_never_change() -> None:
    # A deployment that was seeded last year still knows its phones.
    assert Seed().key("seed-0000000").public.thumbprint == "LMfrzBRHFS0U8_yYgEA1PQoh60VlMD2Z81mQDwOqF0k"
