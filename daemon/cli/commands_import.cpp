// import
#include "cli/command.h"
#include "cli/import_apply.h"
#include "cli/import_files.h"
#include "cli/import_foreign.h"
#include "cli/run.h"

#include <ostream>
#include <set>

namespace dutybook::cli {

namespace {

struct ImportOptions {
    std::string format, path, mapping;
    bool dry_run = false;
};

Result<std::set<std::string>> known_kinds(Session& session) {
    std::set<std::string> kinds;
    TRY(session.items("/v1/kinds", 0,
                      [&](const Json& one) { kinds.insert(text_of(one, "kind")); }));
    return kinds;
}

// Records of one id that several files make (users.csv and demographics.csv) are one record.
void join_files(formats::Mapped& mapped) {
    std::map<std::string, std::size_t> first;
    std::vector<formats::MappedRecord> joined;
    for (auto& record : mapped.records) {
        const auto [at, is_new] = first.emplace(record.id, joined.size());
        if (!is_new && joined[at->second].file != record.file &&
            joined[at->second].kind == record.kind) {
            joined[at->second].fields.update(record.fields);
            joined[at->second].columns.merge(record.columns);
        } else {
            joined.push_back(std::move(record));
        }
    }
    mapped.records = std::move(joined);
}

// One row may fill several records: what is wrong with it is told once.
void tell_once(std::vector<Error>& errors) {
    std::set<std::string> told;
    std::erase_if(errors, [&](const Error& error) {
        return !told.insert(std::to_string(error.line.value_or(0)) + ' ' + error.what).second;
    });
}

// By a mapping: every entry whose file is there and whose kind the daemon knows.
Result<formats::Mapped> by_mapping(Session& session, const Json& mapping, const std::string& path) {
    std::vector<std::string> names;
    for (const Json& entry : mapping["files"]) names.push_back(entry["file"]);
    TRY_ASSIGN(const ImportFiles files, ImportFiles::open(path, names));
    TRY_ASSIGN(const auto kinds, known_kinds(session));
    formats::Mapped mapped;
    for (const auto& [name, encoding] : files.encodings()) {
        mapped.warnings.push_back(
            formats::bad_row(name, 0, "", "is not UTF-8; it was read as " + encoding));
    }
    const formats::MapContext context{session.zone(),
                                      [&](const std::string& name) { return files.text_of(name); }};
    bool any = false;
    for (const Json& entry : mapping["files"]) {
        const std::string name = entry["file"];
        const std::string* const text = files.text_of(name);
        if (text == nullptr || files.mode_of(name) == "absent") continue;
        any = true;
        if (kinds.count(entry["kind"]) == 0) {
            session.err() << name << ": no plugin that is on knows "
                          << entry["kind"].get<std::string>() << "; these records are left out\n";
            continue;
        }
        formats::map_table(entry, files.shown(name), *text, context, mapped);
    }
    if (!any) return failure(Code::NotFound, path + " holds none of the mapping's files");
    tell_once(mapped.errors);
    tell_once(mapped.warnings);
    join_files(mapped);
    return mapped;
}

void print_counts(Session& session, const ImportCounts& counts, bool dry_run) {
    if (session.json()) {
        Json seen = Json::object(), added = seen, changed = seen, removed = seen;
        std::uint64_t same = 0, repeated = 0;
        for (const auto& [kind, each] : counts.kinds) {
            seen[kind] = each.read;
            if (each.added > 0) added[kind] = each.added;
            if (each.changed > 0) changed[kind] = each.changed;
            if (each.removed > 0) removed[kind] = each.removed;
            same += each.same;
            repeated += each.repeated;
        }
        print_json(session.out(), {{"dry_run", dry_run},
                                   {"seen", seen},
                                   {"added", added},
                                   {"changed", changed},
                                   {"removed", removed},
                                   {"same", same},
                                   {"repeated", repeated},
                                   {"failed", counts.failed()},
                                   {"orphans", counts.orphans}});
        return;
    }
    const auto would = [dry_run](const char* word) {
        return (dry_run ? std::string("WOULD ") : std::string()) + word;
    };
    Table table({"KIND", "READ", would(dry_run ? "ADD" : "ADDED"),
                 would(dry_run ? "CHANGE" : "CHANGED"), would(dry_run ? "REMOVE" : "REMOVED"),
                 "SAME", "REPEATED", "FAILED"});
    for (const auto& [kind, each] : counts.kinds) {
        table.add({kind, std::to_string(each.read), std::to_string(each.added),
                   std::to_string(each.changed), std::to_string(each.removed),
                   std::to_string(each.same), std::to_string(each.repeated),
                   std::to_string(each.failed)});
    }
    if (!table.empty()) table.print(session.out());
    std::uint64_t repeated = 0;
    for (const auto& [kind, each] : counts.kinds) repeated += each.repeated;
    if (repeated > 0) {
        session.out() << repeated << (repeated == 1 ? " row repeats" : " rows repeat")
                      << " an earlier row of its file word for word and made no second record\n";
    }
    session.out() << counts.bad_rows << (counts.bad_rows == 1 ? " bad row, " : " bad rows, ")
                  << counts.orphans << (counts.orphans == 1 ? " orphan\n" : " orphans\n");
}

Result<formats::Mapped> mapped_by(Session& session, const Offline& offline,
                                  const ImportOptions& options) {
    if (options.mapping.empty() && is_foreign(options.format)) {
        return read_foreign(session, options.format, options.path);
    }
    if (options.mapping.empty() && options.format == "csv") {
        return usage_error("a plain CSV file needs --mapping",
                           "name a mapping file, or give a plugin's mapping instead of csv");
    }
    const bool edfi = options.format == "edfi";  // Ed-Fi's values are those of the records
    TRY_ASSIGN(const std::string text,
               offline.mapping(edfi ? "attendance" : options.format, options.mapping));
    TRY_ASSIGN(const Json mapping, formats::read_mapping(text));
    return by_mapping(session, mapping, options.path);
}

Result<int> import(Session& session, const Offline& offline, const ImportOptions& options) {
    TRY_ASSIGN(const formats::Mapped mapped, mapped_by(session, offline, options));
    TRY_ASSIGN(const ImportCounts counts, Importer(session, mapped, options.dry_run).run());
    print_counts(session, counts, options.dry_run);
    return counts.failed() == 0 ? done : refused;
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
                   "oneroster, ics, ledes, fhir, edfi, csv with --mapping, or the name of a "
                   "plugin's mapping")
        ->required();
    app.add_option("path", options->path, "a folder, a ZIP archive or a file")->required();
    app.add_option("--mapping", options->mapping, "file that says how columns become fields");
    app.add_flag("--dry-run", options->dry_run, "say what would change, and change nothing");
}

}  // namespace dutybook::cli
