#pragma once
// Output for people: short, aligned, one fact a line. With --json the object itself, on one line.

#include "cli/session.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dutybook::cli {

void print_json(std::ostream& out, const Json& value);
std::string one_line(const Json& value);                      // text as it is, else compact JSON
std::string text_of(const Json& object, const char* member);  // "" if absent or null

// Columns padded to their widest cell (in characters); the last one is not padded.
class Table {
public:
    Table() = default;  // without a head
    explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.size() == 1; }  // nothing below the head
    void print(std::ostream& out) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

// A value as people write it: a list without brackets, nothing as a dash.
std::string value_text(const Json& object, const char* member);

// Names of sites, asked for once, when the first is needed; people are spared ids.
class SiteNames {
public:
    explicit SiteNames(Session& session) : session_(session) {}
    std::string of(const std::string& id);  // the beginning of the id where no name is known

private:
    Session& session_;
    std::optional<std::map<std::string, std::string>> names_;
};

void print_conflict_values(std::ostream& out, SiteNames& names, const Json& values);

// Letters on a line: the terminal's, COLUMNS, else 80.
std::size_t terminal_width();

// What a record is about, in a few words: its title, its name, or its first texts.
std::string summary_of(const Json& fields);
void print_record(Session& session, const Json& record);
void print_findings(std::ostream& out, const Json& findings);
void print_error(Session& session, const Error& error);

}  // namespace dutybook::cli
