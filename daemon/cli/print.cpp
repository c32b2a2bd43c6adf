#include "cli/print.h"

#include "formats/text_table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ostream>

namespace dutybook::cli {

void print_json(std::ostream& out, const Json& value) {
    out << value.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string one_line(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& object, const char* member) {
    if (!object.is_object()) return {};
    const auto found = object.find(member);
    return found == object.end() || found->is_null() ? std::string() : one_line(*found);
}

using formats::characters;

std::string people_text(const Json& value) {
    if (value.is_null()) return "-";
    if (!value.is_array() || value.empty()) return one_line(value);
    std::string out;
    for (const auto& one : value) {
        if (!one.is_string()) return one_line(value);
        out += (out.empty() ? "" : ", ") + one.get<std::string>();
    }
    return out;
}

std::size_t terminal_width() {
    constexpr std::size_t usual = 80;
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* const set = std::getenv("COLUMNS");
    const std::string_view text = set == nullptr ? "" : set;
    std::size_t columns = 0;
    std::from_chars(text.data(), text.data() + text.size(), columns);
    return columns > 0 ? columns : usual;
}

void Table::print(std::ostream& out) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], characters(row[i]));
        }
    }
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - characters(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    }
}

std::string value_text(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found == object.end() ? "-" : people_text(*found);
}

std::string SiteNames::of(const std::string& id) {
    if (!names_) {
        names_.emplace();
        if (const auto status = session_.get("/v1/status")) {
            const Json own = status->value("site", Json::object());
            (*names_)[text_of(own, "id")] = text_of(own, "name");
            for (const auto& space : status->value("spaces", Json::array())) {
                for (const auto& peer : space.value("peers", Json::array())) {
                    (*names_)[text_of(peer, "site")] = text_of(peer, "name");
                }
            }
        }
    }
    const auto found = names_->find(id);
    return found == names_->end() || found->second.empty() ? id.substr(0, 8) : found->second;
}

void print_conflict_values(std::ostream& out, SiteNames& names, const Json& values) {
    Table table;
    for (const auto& one : values) {
        table.add({"  " + value_text(one, "value"), "by " + text_of(one, "by"),
                   "at " + names.of(text_of(one, "site")), text_of(one, "at")});
    }
    table.print(out);
}

std::string summary_of(const Json& fields) {
    if (!fields.is_object()) return {};
    for (const auto* name : {"title", "name", "text", "what", "subject", "course", "type"}) {
        auto text = text_of(fields, name);
        if (!text.empty()) return text;
    }
    if (fields.contains("given") || fields.contains("family")) {
        const auto given = text_of(fields, "given");
        const auto family = text_of(fields, "family");
        return given + (given.empty() || family.empty() ? "" : " ") + family;
    }
    std::string out;
    int count = 0;
    for (const auto& [name, value] : fields.items()) {
        if (count++ == 3) break;
        out += (out.empty() ? "" : ", ") + name + " " + one_line(value);
    }
    return out;
}

void print_findings(std::ostream& out, const Json& findings) {
    if (!findings.is_array()) return;
    for (const auto& one : findings) {
        out << text_of(one, "severity") << "  " << text_of(one, "rule") << ": "
            << text_of(one, "message");
        if (const auto source = text_of(one, "source"); !source.empty()) {
            out << " [" << source << ']';
        }
        out << '\n';
        if (const auto steps = one.find("steps"); steps != one.end() && steps->is_array()) {
            for (const auto& step : *steps) out << "    " << one_line(step) << '\n';
        }
    }
}

namespace {

void print_conflicts(Session& session, const Json& conflicts) {
    SiteNames names(session);
    for (const auto& [field, values] : conflicts.items()) {
        session.out() << "conflict  " << field << '\n';
        print_conflict_values(session.out(), names, values);
    }
}

}  // namespace

void print_record(Session& session, const Json& record) {
    auto& out = session.out();
    const Json envelope = record.value("envelope", Json::object());
    out << text_of(record, "kind") << "  " << text_of(record, "id");
    if (const auto space = text_of(record, "space"); !space.empty()) out << "  in " << space;
    const auto status = text_of(envelope, "status");
    if (record.value("deleted", false)) {
        out << "  deleted";
    } else if (!status.empty()) {
        out << "  " << status;
    }
    out << '\n';
    const Json fields = record.value("fields", Json::object());
    std::size_t width = 0;
    for (const auto& [name, value] : fields.items()) width = std::max(width, characters(name));
    for (const auto& [name, value] : fields.items()) {
        out << "  " << name << std::string(width - characters(name) + 2, ' ') << people_text(value)
            << '\n';
    }
    const auto who = text_of(envelope, "by");
    if (!who.empty()) {
        out << "  by " << who << " at " << text_of(envelope, "at") << ", version "
            << text_of(record, "version") << '\n';
    }
    if (const auto found = record.find("conflicts"); found != record.end() && found->is_object()) {
        print_conflicts(session, *found);
    }
    print_findings(out, record.value("findings", Json::array()));
}

void print_error(Session& session, const Error& error) {
    auto& err = session.err();
    if (session.json()) {
        print_json(err, problem_of(error));
        return;
    }
    err << "dutybook: " << error.text() << '\n';
    if (error.detail.empty()) return;
    const Json detail = Json::parse(error.detail, nullptr, false);
    if (!detail.is_object()) return;
    for (const auto& one : detail.value("spaces", Json::array()))
        err << "  " << one_line(one) << '\n';
    for (const auto& one : detail.value("candidates", Json::array())) {
        err << "  " << text_of(one, "id") << "  " << text_of(one, "kind") << "  "
            << text_of(one, "title") << '\n';
    }
    for (const auto& one : detail.value("changes", Json::array())) {
        err << "  " << text_of(one, "field") << ": was " << text_of(one, "then") << ", is now "
            << text_of(one, "now") << '\n';
    }
    print_findings(err, detail.value("findings", Json::array()));
}

}  // namespace dutybook::cli
