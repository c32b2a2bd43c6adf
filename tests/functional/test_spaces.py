"""A school's space under its district's: references go up, nothing of one school reaches another."""

from dutybook import duty


def objects(world, repository):
    listed = world.git("-C", repository, "cat-file", "--batch-check", "--batch-all-objects")
    return {line.split()[0] for line in listed.splitlines()}


def repositories(site):
    return [one for one in site.store.rglob("*.git") if one.is_dir()]


def test_a_school_and_its_district(world):
    district = world.site("District", space="district").start()
    district.client("remote", "add", "hub", world.bare("district-hub"))
    maria = district.one("add", "core.person", "given=María", "family=Delgado", "active=true",
                         "born=1980-02-29")["id"]
    district.sync()

    north = world.invited(district, "North").start()
    north.client("sync")
    north.client("space", "create", "north", "--parent", "district")
    school_hub = world.bare("north-hub")
    north.client("remote", "add", "hub", school_hub, space="north")
    record = north.one("add", "core.duty", "title=Bus", "category=c", "priority=high", "state=open",
                       "assignee=@Delgado", space="north")
    assert record["fields"]["assignee"] == f"district/{maria}"
    assert north.one("show", f"district/{maria}", space="north")["fields"]["given"] == "María"
    north.client("sync", space="north")

    south = world.invited(district, "South").start()
    for _ in range(2):
        for site in (north, south, district):
            site.client("sync", space="district")
    assert {one["name"] for one in south.many("space", "list")} == {"district"}
    assert south.digest("district") == north.digest("district") == district.digest("district")

    secret = objects(world, north.store / "spaces/north/log.git")
    readme_only = {one for one in secret if one in objects(world, world.directory / "district-hub.git")}
    # The constant README is the same commit everywhere; every segment is North's alone.
    writer = next(iter(north.status("north")["frontier"]))
    segments = {one for one in world.git(
        "-C", north.store / "spaces/north/log.git", "rev-list", "--objects",
        "--all", "--glob=refs/heads/log/*").split() if one in secret and one not in readme_only}
    assert segments and writer
    assert segments <= objects(world, school_hub), "the control: they are where they belong"
    for site in (south, district):
        for repository in repositories(site):
            assert not segments & objects(world, repository)
    assert not segments & objects(world, world.directory / "district-hub.git")


def test_a_second_school_joins_both(world):
    """An invitation of a school brings its district's remotes."""
    district = world.site("District", space="district").start()
    district.client("remote", "add", "hub", world.bare("district-hub"))
    district.client("space", "create", "north", "--parent", "district")
    district.client("remote", "add", "hub", world.bare("north-hub"), space="north")
    district.add_file([duty("for all")])
    district.client("sync", space="district")
    district.client("sync", space="north")

    annex = world.invited(district, "Annex", space="north").start()
    assert {one["name"] for one in annex.many("space", "list")} == {"district", "north"}
    annex.client("sync", space="district")
    assert annex.digest("district") == district.digest("district")


def test_a_remote_of_another_space_is_left_as_it_is(world):
    """A wrong URL must cost the other space nothing, and is told."""
    district = world.site("District", space="district").start()
    hub = world.bare("district-hub")
    district.client("remote", "add", "hub", hub)
    district.sync()
    district.client("space", "create", "school")
    district.client("remote", "add", "hub", hub, space="school")
    refs = world.git("-C", hub, "for-each-ref")
    told = district.client("remote", "check", "hub", space="school", expect=1).one
    assert not told["ok"] and "another space" in told["lines"][-1]
    assert district.one("remote", "check", "hub", space="district")["ok"]
    failed = district.client("sync", space="school", expect=1)
    assert "another space" in failed.out + failed.err and "remote list" in failed.out + failed.err
    assert world.git("-C", hub, "for-each-ref") == refs


def test_another_space_of_the_same_name_is_not_joined(world):
    north = world.site("North").start()
    south = world.site("South").start()
    south.client("remote", "add", "hub", world.bare("hub"))
    file = world.directory / "North.invite"
    south.client("invite", "Guest", "--out", file)
    assert "another space called school" in north.client("join", file, expect=1).err
    assert north.many("remote", "list") == [], "it must not send its own records there"


def test_an_invitation_is_not_written_over_another_one(world):
    north = world.site("North").start()
    file = world.directory / "South.invite"
    north.client("invite", "South", "--out", file)
    before = file.read_bytes()
    for out in (file, world.directory / "nowhere/West.invite"):
        assert north.client("invite", "West", "--out", out, expect=1).problem["title"]
    assert file.read_bytes() == before
    assert "West" not in {one["name"] for one in north.many("members")}
