#include "formats/tables.h"

#include "formats/blocks.h"
#include "formats/csv.h"

#include <algorithm>

namespace dutybook::formats {

namespace {

class Csv {
public:
    Csv(const std::vector<std::string>& header, bool guard) : guard_(guard) { row(header); }
    void row(const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) text_ += ',';
            text_ += csv_cell(cells[i], guard_);
        }
        text_ += "\r\n";
    }
    std::string text() && { return std::move(text_); }

private:
    std::string text_;
    bool guard_;
};

std::string without_space(const std::string& id) {
    const auto slash = id.find('/');
    return slash == std::string::npos ? id : id.substr(slash + 1);
}

std::string foreign(const std::string& id, const std::string& prefix) {
    const std::string own = without_space(id);
    return own.starts_with(prefix) ? own.substr(prefix.size()) : own;
}

std::string joined(const Json& value) {
    if (!value.is_array()) return cell_text(value);
    const bool texts =
        std::all_of(value.begin(), value.end(), [](const Json& each) { return each.is_string(); });
    const bool ids = !texts && std::all_of(value.begin(), value.end(), [](const Json& each) {
        return each.is_object() && each.contains("system") && each.contains("id");
    });
    std::string out;
    if (ids) {  // as OneRoster writes userIds
        for (const Json& each : value) {
            out += (out.empty() ? "{" : ",{") + cell_text(each["system"]) + ':' +
                   cell_text(each["id"]) + '}';
        }
        return out;
    }
    if (!texts) return canonical(value);
    for (const Json& each : value) out += (out.empty() ? "" : ",") + each.get<std::string>();
    return out;
}

// Where a column of a OneRoster file comes from.
struct Column {
    const char* name;
    const char* field;   // "" = always empty, "id" = the record's id
    const char* prefix;  // of foreign ids in it, "" = none
};
struct File {
    const char* name;
    const char* kind;
    std::vector<Column> columns;
};

const std::vector<File>& oneroster_files() {
    static const std::vector<File> files{
        {"orgs",
         "roster.organization",
         {{"sourcedId", "id", "org-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"name", "name", ""},
          {"type", "type", ""},
          {"identifier", "identifier", ""},
          {"parentSourcedId", "parent", "org-"}}},
        {"users",
         "core.person",
         {{"sourcedId", "id", "person-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"enabledUser", "active", ""},
          {"orgSourcedIds", "organizations", "org-"},
          {"role", "role", ""},
          {"username", "username", ""},
          {"userIds", "external_ids", ""},
          {"givenName", "given", ""},
          {"familyName", "family", ""},
          {"middleName", "middle", ""},
          {"identifier", "identifier", ""},
          {"email", "email", ""},
          {"sms", "sms", ""},
          {"phone", "phone", ""},
          {"agentSourcedIds", "", ""},
          {"grades", "grades", ""},
          {"password", "", ""}}},
        {"academicSessions",
         "roster.session",
         {{"sourcedId", "id", "term-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"title", "title", ""},
          {"type", "type", ""},
          {"startDate", "start", ""},
          {"endDate", "end", ""},
          {"parentSourcedId", "parent", "term-"},
          {"schoolYear", "school_year", ""}}},
        {"courses",
         "roster.course",
         {{"sourcedId", "id", "course-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"schoolYearSourcedId", "", ""},
          {"title", "title", ""},
          {"courseCode", "code", ""},
          {"grades", "grades", ""},
          {"orgSourcedId", "organization", "org-"},
          {"subjects", "subjects", ""},
          {"subjectCodes", "", ""}}},
        {"classes",
         "roster.class",
         {{"sourcedId", "id", "class-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"title", "title", ""},
          {"grades", "", ""},
          {"courseSourcedId", "course", "course-"},
          {"classCode", "code", ""},
          {"classType", "type", ""},
          {"location", "location", ""},
          {"schoolSourcedId", "school", "org-"},
          {"termSourcedIds", "terms", "term-"},
          {"subjects", "", ""},
          {"subjectCodes", "", ""},
          {"periods", "periods", ""}}},
        {"enrollments",
         "roster.enrollment",
         {{"sourcedId", "id", "enrollment-"},
          {"status", "", ""},
          {"dateLastModified", "", ""},
          {"classSourcedId", "class", "class-"},
          {"schoolSourcedId", "school", "org-"},
          {"userSourcedId", "person", "person-"},
          {"role", "role", ""},
          {"primary", "primary", ""},
          {"beginDate", "begin", ""},
          {"endDate", "end", ""}}},
    };
    return files;
}

std::string cell_of(const Column& column, const Json& record) {
    const std::string field = column.field;
    if (field.empty()) return "";
    if (field == "id") return foreign(record.value("id", ""), column.prefix);
    const Json fields = record.value("fields", Json::object());
    Json value = fields.value(field, Json());
    if (*column.prefix != '\0' && value.is_string()) value = Json::array({value});
    if (*column.prefix != '\0' && value.is_array()) {
        for (Json& id : value) id = foreign(cell_text(id), column.prefix);
    }
    return joined(value);
}

std::string file_text(const File& file, const Records& records) {
    std::vector<std::string> header;
    for (const Column& column : file.columns) header.emplace_back(column.name);
    Csv csv(header, false);
    for (const Json& record : records) {
        std::vector<std::string> cells;
        for (const Column& column : file.columns) cells.push_back(cell_of(column, record));
        csv.row(cells);
    }
    return std::move(csv).text();
}

std::string manifest(const std::map<std::string, std::string>& files, const std::string& system) {
    Csv csv({"propertyName", "value"}, false);
    csv.row({"manifest.version", "1.0"});
    csv.row({"oneroster.version", "1.1"});
    for (const char* name : {"academicSessions", "categories", "classes", "classResources",
                             "courses", "courseResources", "demographics", "enrollments",
                             "lineItems", "orgs", "resources", "results", "users"}) {
        const bool there = files.count(name + std::string(".csv")) != 0;
        csv.row({"file." + std::string(name), there ? "bulk" : "absent"});
    }
    csv.row({"source.systemName", system});
    csv.row({"source.systemCode", "dutybook"});
    return std::move(csv).text();
}

std::string field_text(const Json& record, const char* field) {
    return cell_text(record.value("fields", Json::object()).value(field, Json()));
}

}  // namespace

std::map<std::string, std::string> render_oneroster(const std::map<std::string, Records>& by_kind,
                                                    const std::string& system) {
    std::map<std::string, std::string> files;
    for (const File& file : oneroster_files()) {
        const auto records = by_kind.find(file.kind);
        if (records == by_kind.end()) continue;
        files[file.name + std::string(".csv")] = file_text(file, records->second);
    }
    const auto people = by_kind.find("core.person");
    Csv born({"sourcedId", "status", "dateLastModified", "birthDate", "sex"}, false);
    bool any = false;
    for (const Json& person : people == by_kind.end() ? Records() : people->second) {
        const std::string date = field_text(person, "born");
        if (date.empty()) continue;
        born.row({foreign(person.value("id", ""), "person-"), "", "", date, ""});
        any = true;
    }
    if (any) files["demographics.csv"] = std::move(born).text();
    files["manifest.csv"] = manifest(files, system);
    return files;
}

std::string render_edfi_attendance(const Records& events) {
    Csv csv({"date", "student", "school", "category", "reason"}, false);
    for (const Json& event : events) {
        csv.row({field_text(event, "date"), foreign(field_text(event, "student"), "person-"),
                 foreign(field_text(event, "school"), "org-"), field_text(event, "code"),
                 field_text(event, "note")});
    }
    return std::move(csv).text();
}

std::string render_records_csv(const Records& records, const std::vector<std::string>& fields) {
    std::vector<std::string> header{"id"};
    header.insert(header.end(), fields.begin(), fields.end());
    Csv csv(header, true);
    for (const Json& record : records) {
        std::vector<std::string> cells{record.value("id", "")};
        const Json values = record.value("fields", Json::object());
        for (const std::string& field : fields)
            cells.push_back(joined(values.value(field, Json())));
        csv.row(cells);
    }
    return std::move(csv).text();
}

}  // namespace dutybook::formats
