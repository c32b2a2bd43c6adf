// Care: verify, repair, rebuild, seal. One at a time in the whole daemon: each reads or writes
// everything, and two at once would only take each other's disk.

#include "api/call.h"
#include "api/care_damage.h"
#include "api/routes_doctor.h"
#include "base/kept_file.h"
#include "core/alarms.h"

#include <algorithm>
#include <future>

namespace dutybook::api {

namespace {

constexpr std::size_t fold_slice = 20'000;  // operations, so that writes get their turn

struct CareTurn {
    explicit CareTurn(Services& services) : lock(*services.care, std::try_to_lock) {}
    std::unique_lock<std::mutex> lock;
};

Error care_under_way() {
    return failure(Code::Conflict, "another verify, repair or rebuild is under way", {},
                   "wait until it is done");
}

void finish(TaskAnswer& answer, const std::string& space, const Damages& damages) {
    Json list = Json::array();
    bool ok = true;
    for (const auto& damage : damages) {
        ok = ok && damage.healed;
        list.push_back(damage_json(damage));
    }
    const Json result = {{"space", space}, {"ok", ok}, {"damage", std::move(list)}};
    answer.finish({result}, result);
}

// What the start put right in the store's own files, told until the next.
void add_healed(Damages& damages) {
    for (const auto& one : healed_files()) {
        damages.push_back({{one.file.string(), one.what, {}, !one.lost, one.how}, one.lost});
    }
}

Result<Damages> find_damage(core::SpaceService& space, bool full, TaskAnswer& answer) {
    const auto percent = [&](int done) {
        answer.progress("log", static_cast<std::uint64_t>(done), 100);
    };
    TRY_ASSIGN(auto found, space.log().verify(full, percent));
    Damages damages = damages_of(std::move(found));
    add_healed(damages);
    const auto note = [&](const char* file, const Result<void>& checked, const char* how) {
        if (!checked) damages.push_back({{file, checked.error().text(), {}, false, how}});
    };
    answer.progress("journal", 0, 1);
    note("journal.db", space.run([](core::SpaceEngine& it) { return it.journal().check(); }),
         "move the store aside as it is and restore a backup");
    // The index is checked with everything else held still, so only where all was asked for.
    if (full) {
        answer.progress("index", 0, 1);
        note("index.db", space.run([](core::SpaceEngine& it) { return it.index().check(); }),
             "run: dutybook rebuild");
    }
    return damages;
}

void verify(const CallPtr& call) {
    auto space = call->space();
    if (!space) return call->answer(space.error());
    CareTurn turn(call->services);
    if (!turn.lock) return call->answer(care_under_way());
    TaskAnswer answer(call);
    const auto damages = find_damage(**space, call->body.value("full", false), answer);
    turn.lock.unlock();  // who has the answer may ask for the next
    if (!damages) return answer.fail(damages.error());
    finish(answer, (*space)->facts().name, *damages);
}

Result<std::vector<std::string>> lines_of(store::Journal& journal, const store::SealRow& row) {
    std::vector<std::string> lines;
    TRY(journal.visit(row.header.writer, row.header.first,
                      [&](const store::JournalLine& line, const domain::Frontier&) {
                          if (line.id.seq > row.header.last) return false;
                          lines.push_back(line.line);
                          return true;
                      }));
    return lines;
}

// What repair could not make again from what is here, a remote may have: a sync lists what is
// missing as it does every night. Whether every remote was there to be asked.
bool fetch_missing(Call& call, const std::string& space, TaskAnswer& answer) {
    std::promise<bool> done;
    call.services.sync->sync_now(
        space, "",
        [&](const sync::Progress& progress) {
            answer.progress("sync: " + progress.step, progress.done, progress.all);
        },
        [&](const std::vector<sync::Outcome>& outcomes) {
            done.set_value(std::ranges::all_of(outcomes, &sync::Outcome::ok));
        });
    return done.get_future().get();
}

// The control log has a copy beside the log.
void mend_control(Call& call, core::SpaceService& space, Damages& damages) {
    const auto of_control = [](const Damage& one) {
        return !one.healed && one.file == store::control_ref;
    };
    if (std::ranges::none_of(damages, of_control)) return;
    core::Circle* const circle = call.services.book->circle(space.facts().name);
    if (circle == nullptr || !circle->attach(space.log())) return;
    store::ControlLog* const control = space.log().control();
    if (control == nullptr || !control->entries()) return;
    for (auto& damage : damages) {
        if (!of_control(damage)) continue;
        damage.healed = true;
        damage.how = "written again from the copy beside the log";
    }
}

Result<Damages> repair_space(Call& call, core::SpaceService& space, bool dry_run,
                             TaskAnswer& answer) {
    answer.progress("repair", 0, 1);
    TRY_ASSIGN(auto found, space.run([&](core::SpaceEngine& engine) {
        return engine.log().repair(dry_run, engine.journal(), [&](const store::SealRow& row) {
            return lines_of(engine.journal(), row);
        });
    }));
    Damages damages = damages_of(std::move(found));
    if (dry_run) return damages;
    mend_control(call, space, damages);
    const bool missing = !std::ranges::all_of(damages, &Damage::healed);
    // What can be read again is shown again.
    for (bool more = true; more;) {
        TRY_ASSIGN(const auto folded, space.run([](core::SpaceEngine& engine) {
            return engine.fold_received(fold_slice);
        }));
        more = folded.more;
    }
    if (!missing) return damages;
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space.facts().name));
    TRY_ASSIGN(const auto before, log_tips(space));
    const bool all_asked = remotes.empty() || fetch_missing(call, space.facts().name, answer);
    TRY(judge_missing(damages, space, before, all_asked));
    TRY_ASSIGN(const Damages left, find_damage(space, false, answer));
    for (const auto& damage : left) {
        const bool told = std::any_of(damages.begin(), damages.end(), [&](const auto& one) {
            return one.healed == damage.healed && one.file == damage.file;
        });
        if (!told) damages.push_back(damage);
    }
    return damages;
}

void repair(const CallPtr& call) {
    auto space = call->space();
    if (!space) return call->answer(space.error());
    CareTurn turn(call->services);
    if (!turn.lock) return call->answer(care_under_way());
    TaskAnswer answer(call);
    const bool dry_run = call->body.value("dry_run", false);
    const auto damages = repair_space(*call, **space, dry_run, answer);
    if (!dry_run && damages) {
        const bool whole = std::ranges::all_of(*damages, &Damage::healed);
        (*space)->run([whole](core::SpaceEngine& engine) {
            engine.close_alarm(core::alarm_id("operations-lost", engine.facts().name));
            if (whole) engine.close_alarm(core::alarm_id("bit-rot", engine.facts().name));
        });
    }
    turn.lock.unlock();  // who has the answer may ask for the next
    if (!damages) return answer.fail(damages.error());
    finish(answer, (*space)->facts().name, *damages);
}

// Everything is taken out of the index and put in again from log and journal, as a start does it
// with an empty one. Writes wait meanwhile; reads see what is in so far.
Result<Json> rebuild_space(core::SpaceService& space, TaskAnswer& answer) {
    const auto rebuilt = space.run([&](core::SpaceEngine& engine) -> Result<void> {
        const domain::Frontier held = engine.index().frontier();
        for (const auto& [writer, entry] : held.entries())
            TRY(engine.index().retract_from(writer, 1));
        core::SpaceEngine::Start start;
        start.progress = [&](std::uint64_t done, std::uint64_t all) {
            answer.progress("rebuild", done, all);
        };
        TRY(engine.start(start));
        TRY(engine.recheck_missing());  // the verdicts went with the records
        return engine.index().check();
    });
    if (!rebuilt) return rebuilt.error();
    TRY_ASSIGN(const auto counts, space.reader().counts());
    TRY_ASSIGN(const auto digest, space.reader().digest());
    return Result<Json>(boost::system::in_place_value, Json{{"space", space.facts().name},
                                                            {"ok", true},
                                                            {"digest", digest},
                                                            {"records", counts.records},
                                                            {"operations", counts.operations}});
}

void rebuild(const CallPtr& call) {
    auto space = call->space();
    if (!space) return call->answer(space.error());
    CareTurn turn(call->services);
    if (!turn.lock) return call->answer(care_under_way());
    TaskAnswer answer(call);
    auto result = rebuild_space(**space, answer);
    turn.lock.unlock();
    if (result) return answer.finish({*result}, *result);
    Error error = std::move(result).error();
    error.fix = "stop the daemon, delete index.db of the space and start it again";
    answer.fail(error);
}

Result<Response> seal(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const std::size_t segments, space->run([](core::SpaceEngine& engine) {
        core::SpaceEngine::Seal all;
        all.force = true;
        return engine.seal(all);
    }));
    return json_response(Json{{"segments", segments}});
}

}  // namespace

std::vector<Endpoint> care_routes() {
    std::vector<Endpoint> out;
    const auto care = [&](std::string_view path, std::string_view name, std::string_view summary,
                          std::vector<Member> members, std::string_view answer,
                          std::function<void(const CallPtr&)> run) {
        out.push_back({.method = Method::Post,
                       .path = path,
                       .name = name,
                       .summary = summary,
                       .body = Body::Optional,
                       .members = std::move(members),
                       .answer = answer,
                       .stream = !answer.empty(),
                       .access = Access::Writer,
                       .runs = Runs::Pool,
                       .run = std::move(run)});
    };
    care("/v1/spaces/{space}/verify", "verify", "Reads everything and names what is damaged.",
         {{"full", Type::Flag, false, false, "decode every segment, check the index"}}, "damage",
         verify);
    care("/v1/spaces/{space}/repair", "repair",
         "Heals what can be healed; moves aside, never deletes.",
         {{"dry_run", Type::Flag, false, false, "only say what would be done"}}, "damage", repair);
    care("/v1/spaces/{space}/rebuild", "rebuild", "Makes the index anew.", {}, "rebuilt", rebuild);
    care("/v1/spaces/{space}/seal", "seal", "Seals what is not sealed yet: {\"segments\":n}.", {},
         "", answering(seal));
    out.push_back(doctor_route());
    return out;
}

}  // namespace dutybook::api
