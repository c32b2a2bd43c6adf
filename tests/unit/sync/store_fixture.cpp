#include "store_fixture.h"

#include "base/crypto.h"
#include "support/source_dir.h"

namespace sync_test {

Store::Store(const fs::path& place, const std::string& space_id, const std::string& name)
    : directory(place) {
    const auto site = core::Book::create(directory, name, "America/Detroit", clock);
    REQUIRE_MESSAGE(site.has_value(), site.error().text());
    REQUIRE(core::write_space_folder(directory, {space_id, "school", ""}).has_value());
    open();
}

void Store::open() {
    core::BookOptions options;
    options.directory = directory;
    options.schemas = dutybook::tests::source_dir() / "schemas";
    options.clock = &clock;
    options.plain_spaces = true;
    auto opened = core::Book::open(std::move(options));
    REQUIRE_MESSAGE(opened.has_value(), opened.error().text());
    book_ = std::move(*opened);
}

std::unique_ptr<Store> Store::copy_to(const fs::path& place) {
    fs::copy(directory, place, fs::copy_options::recursive);
    std::unique_ptr<Store> copy(new Store(place));
    copy->clock.set(clock.now());
    copy->remembered = remembered;
    copy->open();
    return copy;
}

void Store::run(const std::function<void(core::SpaceEngine&)>& task) {
    space().run([&](core::SpaceEngine& engine) { task(engine); });
}

void Store::add(int count, const std::string& prefix) {
    std::vector<core::WriteRequest> requests;
    for (int number = 0; number < count; ++number) {
        core::WriteRequest request;
        request.kind = "core.duty";
        request.fields = duty(prefix + " " + std::to_string(number));
        request.caller.by = "test";
        requests.push_back(std::move(request));
    }
    for (const auto& written : space().write_and_wait(std::move(requests)))
        REQUIRE_MESSAGE(written.has_value(), written.error().text());
}

std::string Store::add_one(const std::string& title, const std::string& id) {
    core::WriteRequest request;
    request.id = id;
    request.kind = "core.duty";
    request.fields = duty(title);
    request.caller.by = "test";
    auto written = space().write_and_wait({request});
    REQUIRE_MESSAGE(written.at(0).has_value(), written.at(0).error().text());
    return written[0]->id;
}

void Store::set(const std::string& id, const std::string& field, Json value) {
    core::WriteRequest request;
    request.action = core::Action::Patch;
    request.id = id;
    request.fields = {{field, std::move(value)}};
    request.caller.by = "test";
    const auto written = space().write_and_wait({request});
    REQUIRE_MESSAGE(written.at(0).has_value(), written.at(0).error().text());
}

std::unique_ptr<sync::Transfer> Store::transfer(const sync::RemoteConfig& remote) {
    const fs::path config = directory / "gitconfig";
    REQUIRE(sync::write_git_config(config, {remote}));
    return std::make_unique<sync::GitTransfer>(sync::GitTransfer::Options{
        (book_->space_directory("school") / "log.git").string(), supervise, config, &clock});
}

sync::Outcome Store::meet(const fs::path& repository) {
    return meet(sync::RemoteConfig{
        repository.stem().string(), repository.string(), {}, {}, {}, 10'000, false});
}

sync::Outcome Store::meet(const sync::RemoteConfig& remote) {
    const auto git = transfer(remote);
    return meet(remote, *git);
}

sync::Outcome Store::meet(const sync::RemoteConfig& remote, sync::Transfer& transfer,
                          const std::atomic<bool>& cancel) {
    sync::ContactParts parts;
    parts.engine = this;
    parts.log = &log();
    parts.transfer = &transfer;
    parts.clock = &clock;
    run([&](core::SpaceEngine& engine) { parts.judge = engine.parts().judge; });
    parts.refused = &refused;
    steps.clear();
    parts.progress = [this](const sync::Progress& progress) { steps.push_back(progress.step); };
    auto outcome = sync::contact(remote, remembered[remote.name], parts, cancel);
    remembered[remote.name] = outcome.remembered;
    return outcome;
}

std::string Store::digest() {
    return *space().reader().digest();
}
std::string Store::operations_digest() {
    return *space().reader().operations_digest();
}
std::uint64_t Store::records() {
    return space().reader().counts()->records;
}

std::vector<core::Alarm> Store::alarms() {
    return space().run([](core::SpaceEngine& engine) { return engine.alarms(); });
}

bool Store::alarmed(const std::string& kind) {
    for (const core::Alarm& alarm : alarms())
        if (alarm.kind == kind) return true;
    return false;
}

std::string Store::writer() {
    return space().run([](core::SpaceEngine& engine) { return engine.writer(); });
}

Json duty(const std::string& title) {
    return {{"title", title}, {"category", "office"}, {"priority", "normal"}, {"state", "open"}};
}

std::string make_space() {
    crypto_start();
    return random_base32(16);
}

std::unique_ptr<Store> make_store(const Folder& folder, const std::string& name,
                                  const std::string& space_id) {
    return std::make_unique<Store>(folder.path / name, space_id, name);
}

}  // namespace sync_test
