// import
#include "base/file.h"
#include "cli/batch.h"
#include "cli/command.h"
#include "cli/run.h"
#include "formats/mapping.h"

#include <algorithm>
#include <ostream>
#include <set>

namespace dutybook::cli {

namespace {

struct ImportOptions {
    std::string format, path, mapping;
    bool dry_run = false;
};

struct Counts {
    std::map<std::string, std::uint64_t> seen, added, changed;
    std::uint64_t same = 0, failed = 0, orphans = 0;
};

// Reads the files that a mapping names: from a folder, or the one file that was given.
Result<formats::Mapped> read_all(const Json& mapping, const std::filesystem::path& path) {
    formats::Mapped mapped;
    std::error_code failed;
    const bool folder = std::filesystem::is_directory(path, failed);
    for (const Json& entry : mapping["files"]) {
        const auto file = folder ? path / entry["file"].get<std::string>() : path;
        if (folder && !std::filesystem::exists(file, failed)) continue;
        TRY_ASSIGN(const std::string text, read_file(file));
        formats::map_table(entry, file.filename().string(), text, mapped);
    }
    if (mapped.records.empty() && mapped.errors.empty()) {
        return failure(Code::NotFound, path.string() + " holds none of the mapping's files");
    }
    return mapped;
}

// What the space holds of the kinds: id to fields.
Result<std::map<std::string, Json>> held(Session& session, const std::set<std::string>& kinds) {
    std::map<std::string, Json> all;
    for (const std::string& kind : kinds) {
        TRY(session.items(session.in_space("records?kind=" + kind), 0, [&](const Json& record) {
            all[text_of(record, "id")] = record.value("fields", Json::object());
        }));
    }
    return all;
}

// The fields of `wanted` that differ from what is held.
Json difference(const Json& wanted, const Json& is) {
    Json patch = Json::object();
    for (const auto& [name, value] : wanted.items()) {
        const auto found = is.find(name);
        if (found == is.end() || *found != value) patch[name] = value;
    }
    return patch;
}

void tell_error(Session& session, const Error& error) {
    if (session.json()) {
        print_json(session.out(), problem_of(error));
    } else {
        session.err() << error.text() << '\n';
    }
}

void tell_orphans(Session& session, const formats::Mapped& mapped,
                  const std::map<std::string, Json>& known, Counts& counts) {
    std::set<std::string> ids;
    for (const auto& record : mapped.records) ids.insert(record.id);
    for (const auto& reference : mapped.references) {
        if (ids.count(reference.id) != 0 || known.count(reference.id) != 0) continue;
        ++counts.orphans;
        if (session.json()) {
            print_json(session.out(), {{"orphan", reference.id},
                                       {"file", reference.file},
                                       {"line", reference.line},
                                       {"column", reference.column}});
        } else {
            session.err() << "orphan: " << reference.file << " line " << reference.line
                          << ", column " << reference.column << ": there is no " << reference.id
                          << '\n';
        }
    }
}

Result<void> send_new(Session& session, const std::vector<Json>& records, Counts& counts) {
    if (records.empty()) return {};
    std::size_t next = 0;
    const auto source = [&]() -> Result<std::string> {
        std::string chunk;
        while (next < records.size() && chunk.size() < 256 * 1024) {
            chunk += records[next++].dump() + "\n";
        }
        return chunk;
    };
    std::size_t line = 0;
    return session.batch(session.in_space("records"), "", source, [&](std::string_view text) {
        const Json answer = Json::parse(text, nullptr, false);
        const Json& sent = records[std::min(line++, records.size() - 1)];
        if (answer.is_object() && answer.contains("id") && !answer.contains("status")) {
            ++counts.added[sent["kind"]];
            return;
        }
        ++counts.failed;
        if (session.json()) {
            session.out() << text << '\n';
        } else {
            session.err() << text_of(sent, "id") << ": "
                          << (answer.is_object() ? text_of(answer, "detail") : std::string(text))
                          << '\n';
        }
    });
}

void print_counts(Session& session, const Counts& counts, bool dry_run) {
    if (session.json()) {
        print_json(session.out(), {{"dry_run", dry_run},
                                   {"seen", counts.seen},
                                   {"added", counts.added},
                                   {"changed", counts.changed},
                                   {"same", counts.same},
                                   {"failed", counts.failed},
                                   {"orphans", counts.orphans}});
        return;
    }
    Table table(
        {"KIND", "READ", dry_run ? "WOULD ADD" : "ADDED", dry_run ? "WOULD CHANGE" : "CHANGED"});
    for (const auto& [kind, seen] : counts.seen) {
        const auto of = [&kind = kind](const auto& map) {
            const auto found = map.find(kind);
            return std::to_string(found == map.end() ? 0 : found->second);
        };
        table.add({kind, std::to_string(seen), of(counts.added), of(counts.changed)});
    }
    table.print(session.out());
    session.out() << counts.same << " stood already, " << counts.failed << " failed, "
                  << counts.orphans << " orphans\n";
}

Result<int> import(Session& session, const Offline& offline, const ImportOptions& options) {
    TRY_ASSIGN(const std::string text, offline.mapping(options.format, options.mapping));
    TRY_ASSIGN(const Json mapping, formats::read_mapping(text));
    TRY_ASSIGN(const formats::Mapped mapped, read_all(mapping, options.path));
    Counts counts;
    std::set<std::string> kinds;
    for (const auto& record : mapped.records) {
        kinds.insert(record.kind);
        ++counts.seen[record.kind];
    }
    TRY_ASSIGN(const auto known, held(session, kinds));
    for (const Error& error : mapped.errors) tell_error(session, error);
    counts.failed = mapped.errors.size();
    tell_orphans(session, mapped, known, counts);

    std::vector<Json> fresh;
    std::set<std::string> taken;
    for (const auto& record : mapped.records) {
        if (!taken.insert(record.id).second) {
            ++counts.same;  // the same row twice in one file
            continue;
        }
        const auto found = known.find(record.id);
        if (found == known.end()) {
            if (options.dry_run) ++counts.added[record.kind];
            fresh.push_back({{"id", record.id},
                             {"kind", record.kind},
                             {"fields", record.fields},
                             {"source", "imported"}});
            continue;
        }
        const Json patch = difference(record.fields, found->second);
        if (patch.empty()) {
            ++counts.same;
            continue;
        }
        ++counts.changed[record.kind];
        if (options.dry_run) continue;
        const auto changed =
            session.ask("PATCH", session.in_space("records/" + record.id + "?reason=import"), patch,
                        {{}, {}, true});
        if (!changed) {
            ++counts.failed;
            tell_error(session, changed.error());
        }
    }
    if (!options.dry_run) TRY(send_new(session, fresh, counts));
    print_counts(session, counts, options.dry_run);
    return counts.failed == 0 ? done : refused;
}

}  // namespace

void add_import_commands(Commands& commands) {
    auto& session = commands.session;
    const Offline& offline = commands.offline;
    auto options = std::make_shared<ImportOptions>();
    auto& app = command(
        commands, commands.root, "import", "Reads foreign files. Importing twice changes nothing.",
        "import oneroster ./oneroster --dry-run",
        [&session, &offline, options] { return import(session, offline, *options); });
    app.add_option("format", options->format,
                   "oneroster, or csv with --mapping, or the name of a plugin's mapping")
        ->required();
    app.add_option("path", options->path, "a folder or a file")->required();
    app.add_option("--mapping", options->mapping, "file that says how columns become fields");
    app.add_flag("--dry-run", options->dry_run, "say what would change, and change nothing");
}

}  // namespace dutybook::cli
