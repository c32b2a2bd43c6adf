#include "api/shapes.h"

#include "base/json_plain.h"

namespace dutybook::api {

void append_quoted(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0;; ++i) {
        const std::size_t plain = i;
        i = end_of_plain(text, plain);
        out.append(text, plain, i - plain);
        if (i == text.size()) break;
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += "\\u00";
            out += digits[c >> 4U];
            out += digits[c & 15U];
        }
    }
    out += '"';
}

namespace {

// {"name":value,...}; the caller closes it. Names are known here, but for those of fields.
class Members {
public:
    explicit Members(std::string& out) : out_(out) { out_ += '{'; }
    void text(std::string_view name, std::string_view value) {
        begin(name);
        append_quoted(out_, value);
    }
    void text_if(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    void raw(std::string_view name, std::string_view json) {
        begin(name);
        out_ += json.empty() ? std::string_view("null") : json;
    }
    void begin(std::string_view name) {
        out_ += any_ ? ",\"" : "\"";
        any_ = true;
        out_.append(name).append("\":");
    }
    void begin_field(std::string_view name) {
        if (any_) out_ += ',';
        any_ = true;
        append_quoted(out_, name);
        out_ += ':';
    }
    void close() { out_ += '}'; }

private:
    std::string& out_;
    bool any_ = false;
};

void append_values(std::string& out, const domain::Conflict& conflict) {
    out += '[';
    for (const auto& value : conflict.values) {
        if (&value != &conflict.values.front()) out += ',';
        Members members(out);
        members.raw("value", value.value);
        members.text("site", domain::site_of(value.operation.writer));
        members.text("at", format_utc(value.at));
        members.text("by", value.by);
        members.text("operation", value.operation.text());
        members.close();
    }
    out += ']';
}

void append_envelope(std::string& out, const domain::RecordState& state,
                     const RecordContext& context) {
    const domain::Operation& created = state.created;
    const domain::KindTraits* kind = context.kinds.find(state.kind);
    Members members(out);
    members.text("by", created.by);
    members.text_if("auth", created.auth);
    members.text_if("on_behalf", created.on_behalf);
    members.text_if("device", created.device);
    members.text("site", domain::site_of(created.identity().writer));
    members.text("at", format_utc(created.at));
    members.text_if("zone", created.zone);
    members.text("source", created.source);
    std::string_view effective;
    if (kind && !kind->effective.empty()) {
        const auto found = state.fields.find(kind->effective);
        if (found != state.fields.end()) effective = found->second;
    }
    members.raw("effective", effective);
    members.text("privacy", kind ? std::string_view(kind->privacy) : "unknown");
    members.text("status", domain::name_of(state.status));
    members.text("changed_at", format_utc(state.changed_at));
    members.text("changed_site", domain::site_of(state.changed_by.writer));
    members.close();
}

void append_record(std::string& out, Members& members, const store::StoredRecord& record,
                   std::string_view findings, const RecordContext& context) {
    const domain::RecordState& state = record.state;
    members.text("id", state.id);
    members.text("kind", state.kind);
    members.text("space", context.facts.name);
    members.text("version", record.version);
    if (state.deleted) members.raw("deleted", "true");
    members.begin("envelope");
    append_envelope(out, state, context);
    members.begin("fields");
    Members fields(out);
    for (const auto& [field, value] : state.fields) {
        fields.begin_field(field);
        out += value.empty() ? std::string_view("null") : std::string_view(value);
    }
    fields.close();
    const bool plain = findings.size() <= 2 || !context.findings_for_reader;
    members.raw("findings", findings.empty() ? "[]"
                            : plain          ? std::string(findings)
                                             : context.findings_for_reader(findings));
    members.begin("conflicts");
    Members conflicts(out);
    for (const auto& conflict : state.conflicts) {
        conflicts.begin_field(conflict.field);
        append_values(out, conflict);
    }
    conflicts.close();
}

}  // namespace

std::string record_text(const store::StoredRecord& record, std::string_view findings,
                        const RecordContext& context) {
    std::string out;
    out.reserve(1024);
    Members members(out);
    append_record(out, members, record, findings, context);
    members.close();
    return out;
}

std::string written_text(const core::Written& written, const RecordContext& context) {
    std::string out;
    out.reserve(1024);
    Members members(out);
    append_record(out, members, written.record, written.findings, context);
    members.raw("wrote", written.wrote ? "true" : "false");
    members.text_if("same_as", written.same_as);
    if (!written.checked) members.raw("checked", "false");
    members.close();
    return out;
}

void append_conflict_lines(std::vector<std::string>& out, const store::StoredRecord& record) {
    for (const auto& conflict : record.state.conflicts) {
        std::string line;
        Members members(line);
        members.text("id", record.state.id);
        members.text("kind", record.state.kind);
        members.text("field", conflict.field);
        members.raw("shown", conflict.shown);
        members.begin("values");
        append_values(line, conflict);
        members.close();
        out.push_back(std::move(line));
    }
}

std::string history_text(const domain::HistoryLine& line) {
    std::string out;
    Members members(out);
    members.text("operation", line.operation.text());
    members.text("do", line.verb);
    if (line.field.empty()) {
        members.raw("field", "null");
    } else {
        members.text("field", line.field);
    }
    members.raw("old", line.old_value);
    members.raw("new", line.new_value);
    members.text("site", domain::site_of(line.operation.writer));
    members.text("by", line.by);
    members.text("at", format_utc(line.at));
    members.text("reason", line.reason);
    members.close();
    return out;
}

Json instant_or_null(Millis at) {
    return at == 0 ? Json(nullptr) : Json(format_utc(at));
}

std::string without_password(const std::string& url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return url;
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(url.find('/', begin), url.size());
    const std::size_t at = url.rfind('@', end);
    const std::size_t colon = url.find(':', begin);
    if (at == std::string::npos || at < begin || colon > at) return url;
    return url.substr(0, colon) + url.substr(at);
}

Json remote_json(const sync::RemoteStatus& remote) {
    const sync::RemoteConfig& config = remote.config;
    const bool scheduled = !config.window_from.empty();
    Json under_way = nullptr;
    if (remote.under_way) {
        under_way = {{"step", remote.under_way->step},
                     {"done", remote.under_way->done},
                     {"all", remote.under_way->all}};
    }
    return {{"name", config.name},
            {"url", without_password(config.url)},
            {"window", scheduled ? Json(config.window_from + "-" + config.window_to) : Json()},
            {"zone", config.window_zone.empty() ? Json() : Json(config.window_zone)},
            {"timeout", config.timeout / 1000},
            {"create", config.create},
            {"last_attempt", instant_or_null(remote.last_attempt)},
            {"last_success", instant_or_null(remote.last_success)},
            {"undelivered", remote.undelivered},
            {"error", remote.error.empty() ? Json() : Json(remote.error)},
            {"next_window", remote.next_window ? Json(format_utc(*remote.next_window)) : Json()},
            {"missed_night", remote.missed_night},
            {"under_way", std::move(under_way)}};
}

Json outcome_json(const sync::Outcome& outcome) {
    return {{"space", outcome.space},
            {"remote", outcome.remote},
            {"ok", outcome.ok},
            {"operations_in", outcome.operations_in},
            {"operations_out", outcome.operations_out},
            {"bytes_in", outcome.bytes_in},
            {"bytes_out", outcome.bytes_out},
            {"objects_in", outcome.objects_in},
            {"seconds", outcome.seconds},
            {"error", outcome.error ? Json(outcome.error->text()) : Json()}};
}

void ListText::add(std::string_view item) {
    if (any_) text_ += ',';
    any_ = true;
    text_ += item;
}

std::string ListText::finish(const std::string& next) && {
    text_ += "],\"next\":";
    if (next.empty()) {
        text_ += "null";
    } else {
        append_quoted(text_, next);
    }
    text_ += '}';
    return std::move(text_);
}

}  // namespace dutybook::api
