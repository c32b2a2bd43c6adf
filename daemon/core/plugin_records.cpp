#include "core/plugin_records.h"

#include "domain/operation.h"

namespace dutybook::core {

namespace {

// Of a piece as JSON text; the rest of the operation's 64 KiB is for what stands around it.
constexpr std::size_t piece_bytes = 48'000;

std::string part_id(const std::string& digest, std::size_t number) {
    return "part-" + digest.substr(0, 32) + "-" + std::to_string(number);
}

struct Piece {
    std::string file, text;
};

// Bytes that a character takes in JSON, at most.
std::size_t written_size(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) return c == '\n' || c == '\t' ? 2 : 6;
    return c == '"' || c == '\\' ? 2 : 1;
}

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

// Never cuts a character in two: a piece is text, too.
std::vector<Piece> pieces_of(const rules::PackageFiles& files) {
    std::vector<Piece> pieces;
    for (const auto& [name, bytes] : files) {
        std::size_t from = 0;
        do {
            std::size_t to = from;
            std::size_t size = 0;
            while (to < bytes.size() && size < piece_bytes) size += written_size(bytes[to++]);
            while (to < bytes.size() && !begins_character(bytes[to])) --to;
            pieces.push_back({name, bytes.substr(from, to - from)});
            from = to;
        } while (from < bytes.size());
    }
    return pieces;
}

Json choice_json(const PackageChoice& choice) {
    return {{"version", choice.version}, {"digest", choice.digest}, {"parts", choice.parts}};
}

std::optional<PackageChoice> choice_of(const Json& json) {
    const Json version = json.value("version", Json());
    const Json digest = json.value("digest", Json());
    const Json parts = json.value("parts", Json());
    if (!version.is_string() || !digest.is_string() || !parts.is_number_unsigned()) {
        return std::nullopt;
    }
    constexpr std::size_t most_parts = 4000;
    PackageChoice choice{version, digest, parts};
    if (choice.parts == 0 || choice.parts > most_parts) return std::nullopt;
    return choice;
}

Result<std::optional<store::StoredRecord>> stored_choice(SpaceService& space,
                                                         const std::string& plugin) {
    return space.reader().get(package_record_id(plugin));
}

Result<PackageRecord> choice_here(SpaceService& space, const std::string& plugin) {
    TRY_ASSIGN(const auto stored, stored_choice(space, plugin));
    const auto record = stored ? read_package_record(*stored) : std::nullopt;
    if (record) return *record;
    return failure(Code::NotFound,
                   "plugin " + plugin + " did not come with space " + space.facts().name);
}

Result<void> write_all(SpaceService& space, std::vector<WriteRequest> requests) {
    constexpr std::size_t at_once = 100;
    for (std::size_t from = 0; from < requests.size(); from += at_once) {
        const auto begin = requests.begin() + static_cast<std::ptrdiff_t>(from);
        const auto end = requests.begin() +
                         static_cast<std::ptrdiff_t>(std::min(from + at_once, requests.size()));
        for (const auto& result : space.write_and_wait({begin, end})) {
            // A part that is here already is the same: its id names what is in it.
            if (!result && result.error().code != Code::Exists) return result.error();
        }
    }
    return {};
}

std::vector<WriteRequest> part_requests(const std::vector<Piece>& pieces, const std::string& digest,
                                        const Caller& caller) {
    std::vector<WriteRequest> requests;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        WriteRequest request;
        request.id = part_id(digest, i + 1);
        request.kind = part_kind;
        request.fields = {{"package", digest},
                          {"number", i + 1},
                          {"file", pieces[i].file},
                          {"text", pieces[i].text}};
        request.caller = caller;
        requests.push_back(std::move(request));
    }
    return requests;
}

WriteRequest choice_request(const PackageRecord& record, bool is_new, const Caller& caller) {
    WriteRequest request;
    request.action = is_new ? Action::Create : Action::Patch;
    request.id = package_record_id(record.plugin);
    request.kind = package_kind;
    request.fields = choice_json(record.now);
    if (is_new) request.fields["plugin"] = record.plugin;
    if (record.before) request.fields["before"] = choice_json(*record.before);
    request.caller = caller;
    return request;
}

}  // namespace

std::string package_record_id(const std::string& plugin) {
    return "plugin-" + plugin;
}

std::optional<PackageRecord> read_package_record(const store::StoredRecord& stored) {
    const auto& state = stored.state;
    if (state.kind != package_kind || state.deleted || state.status == domain::Status::Retracted) {
        return std::nullopt;
    }
    Json fields = Json::object();
    for (const auto& [name, text] : state.fields) fields[name] = Json::parse(text, nullptr, false);
    const auto now = choice_of(fields);
    if (!now || !fields.value("plugin", Json()).is_string()) return std::nullopt;
    PackageRecord record{fields["plugin"], *now, std::nullopt};
    if (!rules::valid_plugin_id(record.plugin)) return std::nullopt;
    if (state.id != package_record_id(record.plugin)) return std::nullopt;
    if (fields.value("before", Json()).is_object()) record.before = choice_of(fields["before"]);
    return record;
}

Result<void> write_package(SpaceService& space, const rules::PluginPackage& package,
                           const Caller& caller) {
    const std::string& plugin = package.manifest.id;
    if (package.manifest.native) {
        return failure(Code::Malformed, "plugin " + plugin + " is native and does not travel", {},
                       "install it on each machine: `dutybook plugin install` without --space");
    }
    const auto pieces = pieces_of(package.files);
    TRY(write_all(space, part_requests(pieces, package.digest, caller)));

    TRY_ASSIGN(const auto stored, stored_choice(space, plugin));
    PackageRecord record{plugin, {package.manifest.version, package.digest, pieces.size()}, {}};
    if (stored) {
        const auto held = read_package_record(*stored);
        if (held && held->now.digest == package.digest) return {};
        if (held) record.before = held->now;
        if (stored->state.deleted) {
            WriteRequest restore;
            restore.action = Action::Restore;
            restore.id = stored->state.id;
            restore.caller = caller;
            TRY(write_all(space, {restore}));
        }
    }
    return write_all(space, {choice_request(record, !stored, caller)});
}

Result<PackageRecord> write_rollback(SpaceService& space, const std::string& plugin,
                                     const Caller& caller) {
    TRY_ASSIGN(PackageRecord record, choice_here(space, plugin));
    if (!record.before) {
        return failure(Code::NotFound, "there is no version of " + plugin + " before this one");
    }
    std::swap(record.now, *record.before);
    TRY(write_all(space, {choice_request(record, false, caller)}));
    return record;
}

Result<void> write_removal(SpaceService& space, const std::string& plugin, const Caller& caller) {
    TRY(choice_here(space, plugin));
    WriteRequest request;
    request.action = Action::Delete;
    request.id = package_record_id(plugin);
    request.caller = caller;
    return write_all(space, {request});
}

Result<rules::PackageFiles> read_parts(store::IndexReader& reader, const PackageChoice& choice) {
    rules::PackageFiles files;
    std::size_t size = 0;
    for (std::size_t number = 1; number <= choice.parts; ++number) {
        TRY_ASSIGN(const auto stored, reader.get(part_id(choice.digest, number)));
        if (!stored) {
            return failure(Code::NotFound, "part " + std::to_string(number) + " of " +
                                               std::to_string(choice.parts) + " has not come yet");
        }
        const auto text = [&](const char* field) {
            const auto found = stored->state.fields.find(field);
            const Json value = found == stored->state.fields.end()
                                   ? Json()
                                   : Json::parse(found->second, nullptr, false);
            return value.is_string() ? value.get<std::string>() : std::string();
        };
        const std::string file = text("file");
        size += text("text").size();
        if (!rules::may_travel(file) || size > rules::package_limit) {
            return failure(Code::Corrupt, "a part is none of a plugin that travels",
                           file.substr(0, 100));
        }
        files[file] += text("text");
    }
    if (rules::digest_of(files) != choice.digest) {
        return failure(Code::Corrupt, "the parts are not what the digest says",
                       "somebody changed or forged one of them");
    }
    return files;
}

Result<std::set<std::string>> who_chose(store::IndexReader& reader, const PackageRecord& record) {
    TRY_ASSIGN(const auto rows, reader.operations(package_record_id(record.plugin)));
    const std::string shown = canonical(Json(record.now.digest));
    std::set<std::string> sites;
    for (const auto& row : rows) {
        for (const auto& change : row.operation.changes) {
            if (change.field != "digest" || change.value != shown) continue;
            sites.emplace(domain::site_of(row.operation.identity().writer));
        }
    }
    return sites;
}

}  // namespace dutybook::core
