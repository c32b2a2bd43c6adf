#include "core/hosted_space.h"

#include "core/alarms.h"
#include "core/guarded_journal.h"
#include "core/identity.h"
#include "core/space_keys.h"
#include "core/waiting_log.h"

#include "base/crypto.h"
#include "base/kept_file.h"
#include "base/log.h"

namespace dutybook::core {

namespace {

Result<std::unique_ptr<store::Index>> open_index(const std::string& path,
                                                 const rules::Kinds& kinds) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        log_info("core", "the index is built again", {{"index", path}, {"why", "it is not there"}});
    }
    auto index = store::open_sqlite_index(path, kinds);
    if (index) return index;
    const Code code = index.error().code;
    // Whatever else keeps it from being read: it is disposable.
    if (code == Code::Full || code == Code::Unavailable) return index;
    log_info("core", "the index is built again", {{"index", path}, {"why", index.error().text()}});
    TRY(store::delete_index(path));
    return store::open_sqlite_index(path, kinds);
}

std::unique_ptr<store::Log> open_log(const store::GitLogOptions& options) {
    auto log = store::open_git_log(options);
    if (log) return std::move(*log);
    log_error("core", "the log cannot be opened",
              {{"log", options.path}, {"error", log.error().text()}});
    return std::make_unique<WaitingLog>(options, log.error());
}

Result<std::unique_ptr<Circle>> circle_of(const HostedContext& context,
                                          const std::filesystem::path& folder,
                                          const SpaceRecord& record) {
    TRY_ASSIGN(const bool sealed, is_sealed(folder));
    if (!sealed && !context.plain_spaces) {
        return failure(Code::Forbidden,
                       "the space " + record.name + " says that it is not encrypted",
                       "no space is made so: its space.json was changed by hand",
                       "restore it from a backup of the store");
    }
    if (!sealed) return std::unique_ptr<Circle>();
    return Circle::open({folder, record, context.site, context.ring, context.clock});
}

void tell_lost_log(SpaceEngine& engine, const std::filesystem::path& log) {
    note_healed({log, "was missing", "begun anew with what the journal holds of it"});
    engine.raise({"", "log-lost", engine.facts().name,
                  "log.git was missing and was begun anew: what other sites wrote may be missing "
                  "until a sync has brought it again; sync now",
                  0});
}

SpaceEngine::Start how_to_start(const HostedContext& context, const std::string& space,
                                bool moved) {
    SpaceEngine::Start how;
    how.moved = moved;
    if (!context.progress) return how;
    how.progress = [tell = context.progress, space](std::uint64_t done, std::uint64_t all) {
        tell("space " + space + ": index " + std::to_string(done) + " of " + std::to_string(all) +
             " operations");
    };
    return how;
}

}  // namespace

Result<std::unique_ptr<HostedSpace>> HostedSpace::open(const HostedContext& context,
                                                       const std::filesystem::path& folder,
                                                       const SpaceRecord& record, Kinship kinship,
                                                       bool moved) {
    auto hosted = std::make_unique<HostedSpace>();
    TRY_ASSIGN(hosted->circle, circle_of(context, folder, record));
    const store::SegmentCodec* const codec =
        hosted->circle ? static_cast<const store::SegmentCodec*>(&hosted->circle->codec())
                       : &hosted->plain;
    TRY_ASSIGN(hosted->journal, open_guarded_journal(folder / "journal.db", context.room));
    // A log that the journal has sealed into was there.
    std::error_code ignored;
    const bool log_lost = !std::filesystem::exists(folder / "log.git", ignored) &&
                          !hosted->journal->writers().empty();
    hosted->log = open_log({folder / "log.git", record.id, codec,
                            context.ring->first()->signer.get(), hosted->circle.get()});
    if (hosted->circle) {
        const auto attached = hosted->circle->attach(*hosted->log);
        if (!attached)
            log_error("core", "the control log cannot be used",
                      {{"space", record.name}, {"error", attached.error().text()}});
    }
    TRY_ASSIGN(auto index, open_index(folder / "index.db", *context.kinds));
    hosted->index = store::write_behind(std::move(index));

    SpaceFacts facts{record.id, record.name, record.parent, context.site.id, context.site.zone};
    SpaceParts parts;
    parts.journal = hosted->journal.get();
    parts.log = hosted->log.get();
    parts.index = hosted->index.get();
    parts.clock = context.clock;
    parts.kinds = context.kinds;
    parts.evaluator = context.evaluator;
    parts.codec = codec;
    parts.judge = hosted->circle ? static_cast<const store::SegmentJudge*>(hosted->circle.get())
                                 : &context.judge;
    parts.circle = hosted->circle.get();
    parts.incarnation = [] { return random_base32(5); };
    parts.read_parent = std::move(kinship.read_parent);
    parts.tell_children = std::move(kinship.tell_children);
    auto engine = std::make_unique<SpaceEngine>(std::move(facts), std::move(parts));
    TRY(engine->start(how_to_start(context, record.name, moved)));
    if (log_lost) tell_lost_log(*engine, folder / "log.git");
    // Room came back while no daemon ran.
    if (context.room != nullptr && !context.room->full()) {
        engine->close_alarm(alarm_id("disk-full", record.name));
    }
    TRY(engine->follow_circle());
    hosted->service = std::make_unique<SpaceService>(std::move(engine), context.listener);
    return hosted;
}

}  // namespace dutybook::core
