"""What offices print beside an answer, by the answer's canonical name.

`KNOWN` are the wordings that forms in use were seen to have; `UNTUNED` were set down before the reader was
first measured and are in no definition, to see how it fares with a form that nobody has seen.
"""

from __future__ import annotations

KNOWN = {
    "form_date": (
        *("Date and time form completed", "Date of form", "Date completed", "Date of alert"),
        *("Date of report", "Date form completed", "Date notified", "Date of Referral", "Reported Date"),
    ),
    "author": (
        *("Name and role of person completing", "Name of person completing form", "Completed by", "Author"),
        *("Originator", "Report author", "Reported by", "Notifier", "Submitted by", "Referrer"),
    ),
    "reviewer": (
        *("Responsible Strategic Manager", "Reviewing Strategic Manager", "Reviewed by", "Authorised by"),
        *("Signed off by", "Quality assured by", "HoS oversight", "Management oversight"),
    ),
    "incident_at": (
        *("Date and time of incident", "Date of incident", "Incident date/time", "Incident date", "D.O.I."),
        *("Date of critical incident", "Date & time of incident"),
    ),
    "aware_at": ("Date and time NCT became aware", "Date LA became aware", "Date notified to NCT"),
    "location": ("Where it happened", "Location", "Location of incident", "Exact location"),
    "child_name": (
        *("Full name", "Child's Name", "Name of Child", "Name of YP", "Young Person", "Child name"),
        *("Name of child or young person", "Child's name/identifier", "Surname/Forename"),
    ),
    "dob": (
        *("Date of birth", "DOB", "D.O.B.", "D.o.B", "DoB", "Birth date", "DOB/EDD", "DOB (dd/mm/yy)"),
        *("Child's date of birth (dd/mm/yyyy)", "DoB or EDD", "DOB and age"),
    ),
    "system_id": (
        *("System ID", "Mosaic ID", "LCS ID", "Liquidlogic no", "LL ID", "Carefirst no", "CareFirst ID"),
        *("Eclipse ID", "Protocol ID", "SSID", "SSID No", "ICS no", "CSC ref", "Client ID", "Person ID"),
        "P-number",
    ),
    "category": ("Category", "Type of incident", "Reason for alert", "Criteria", "Incident type"),
    "summary": (
        *("Synopsis", "Summary", "Brief summary", "What happened", "Details of incident", "Circumstances"),
        *("Please outline events", "Synopsis (what happened, facts only, <=200 words)"),
    ),
    "police_ref": (
        *("Police reference", "Police ref", "Crime ref", "CRN", "Occurrence no", "OIS", "URN", "CAD"),
        *("Police Number", "Niche", "STORM", "Misper no", "Compact ref", "Merlin"),
    ),
    "next_update_due": ("Next update due", "Date next update expected", "Date of next update"),
    "missing_since": (
        *("Missing since", "Date and time missing from (start of episode)", "Date and time missing"),
        "Date/time missing from",
    ),
    "last_seen": ("Last seen", "Date and time last seen", "Date/time last seen", "Last physically seen"),
    "returned_at": (
        *("Date/time found", "Returned", "Located", "Found/returned datetime", "Date and time returned"),
        "Date and time found or returned",
    ),
    "current_position": ("Current position", "Current situation"),
    "media": ("Media or social media interest", "Media interest"),
    "author_phone": ("Telephone", "Tel", "Contact number"),
    "author_team": ("Team/service", "Team", "Service"),
    "gender": ("Gender", "Sex", "Gender Male/Female"),
    "ethnicity": ("Ethnicity", "Ethnic origin", "Ethnic group"),
    "child_status": ("Legal status", "LAC status", "Status of child"),
    "school": ("School", "Education establishment", "School/college"),
}

# where the second procedure's form asks for the same in other words
LEADERSHIP = {
    "reviewer": ("Head of Service", "HoS", "Head of Service oversight by", "Responsible Head of Service"),
    "aware_at": ("Date and time aware", "Date/time aware", "Date and time became aware"),
    "form_date": ("Date/time completed", "Date and time completed", "Date of alert", "Date completed"),
    "author": ("Completed by", "Form completed by", "Author", "Name of person completing form"),
    "next_update_due": ("Date next update expected", "Date when an update is expected", "Next update due"),
    "summary": ("What happened", "Brief summary", "Details of incident", "Circumstances"),
    "team_manager": ("Team Manager", "Name of Team Manager"),
    "worker": ("Allocated practitioner", "Allocated worker"),
    "system_id": ("System ID", "Mosaic ID", "Mosaic no", "Person ID"),
    "police_ref": ("Police reference", "Merlin", "CAD", "Crime ref"),
    "returned_at": ("Returned at", "Date and time returned", "Returned", "Date/time found"),
}

UNTUNED = {
    "form_date": (
        *("Date this form was completed", "Date/time of completion", "Date of completion"),
        *("Date form submitted", "Date of notification", "Form completed on"),
    ),
    "author": (
        *("Name of worker completing form", "Form author", "Alert completed by (name and role)"),
        *("Name and job title of person completing this form", "Alert raised by"),
    ),
    "reviewer": (
        *("Approved by Strategic Manager", "Name of Reviewing Strategic Manager"),
        *("Strategic Manager's name", "Reviewed by (Strategic Manager)"),
    ),
    "incident_at": (
        *("Date/Time incident occurred", "When did this happen?", "Date & time of the incident"),
        *("Date and approximate time of incident", "Incident occurred on", "Date of event"),
    ),
    "aware_at": ("Date and time service became aware", "Date & time NCT were made aware", "Date made aware"),
    "child_name": (
        *("Name of child/young person concerned", "Subject of alert", "Child / YP name"),
        *("Full name of child or young person", "Young Person's Full Name", "Name(s) of child(ren)"),
    ),
    "dob": ("Child's D.O.B", "Birthdate", "DOB & age", "Date of birth of child", "D O B"),
    "system_id": (
        *("LCS Number", "Liquid Logic ID", "Mosaic Ref", "CareFirst Reference", "Child ID"),
        *("LL number", "Eclipse no", "Carefirst number"),
    ),
    "summary": (
        *("Brief outline of incident", "Please give a brief summary", "Description of what happened"),
        *("Summary of concerns", "Account of incident", "What has happened?"),
    ),
    "police_ref": ("Police incident reference", "Police URN", "Crime/incident no", "Police log no"),
    "next_update_due": (
        *("Next update expected by", "Date next update required", "Date for next update"),
        "Update to be provided by",
    ),
    "missing_since": (
        *("Missing from (date/time)", "When did the child go missing?", "Date and time child went missing"),
        "Missing from date and time",
    ),
    "last_seen": ("When was the child last seen?", "Last sighting", "Date & time last seen"),
    "returned_at": ("Date/time child returned", "Return date and time", "When found"),
}
