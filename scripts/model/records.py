"""Which keys belong together, and how does a prompt ask for them?

A `RecordKind` names the keys a record of that kind always has and those it may have. `make_record` draws one; the
other functions here make the document bodies that are not a single record: tool calls, classification, extraction.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import word_pools as pools
from fields import FIELDS, Rng, ascii_lower, date, email, full_name, pick, some


@dataclass(frozen=True)
class RecordKind:
    """The keys of one kind of record; `overrides` gives a key another maker than `FIELDS` does."""

    noun: str
    plural: str
    required: list[str]
    optional: list[str]
    overrides: dict[str, Any] = field(default_factory=dict)


RECORD_KINDS = [
    RecordKind("book", "books", ["title", "author", "publication_year"],
               ["genre", "genres", "pages", "isbn", "publisher", "language", "summary", "rating", "available", "price"]),
    RecordKind("person", "people", ["name"],
               ["age", "email", "phone", "skills", "work_history", "work history", "occupation", "city", "address", "hobbies",
                "languages", "married", "is_student", "children", "pet", "birth_date", "bio", "nationality", "height"]),
    RecordKind("employee", "employees", ["name", "department"],
               ["id", "salary", "job", "manager", "email", "skills", "active", "created_at", "experience", "company"]),
    RecordKind("user", "users", ["username", "email"],
               ["id", "uuid", "first_name", "last_name", "age", "country_code", "verified", "active", "created_at", "website",
                "nickname", "tags"]),
    RecordKind("order", "orders", ["order_id", "customer", "items", "total"],
               ["currency", "status", "payment_method", "shipping_address", "paid", "created_at", "tax", "discount", "notes"]),
    RecordKind("product", "products", ["name", "price"],
               ["sku", "category", "currency", "stock", "in_stock", "color", "colors", "size", "rating", "tags", "url", "discount",
                "description"], {"name": lambda rng: pick(rng, pools.PRODUCTS)}),
    RecordKind("movie", "movies", ["title", "director", "year"],
               ["genre", "genres", "rating", "duration_minutes", "cast", "awards", "language", "summary"]),
    RecordKind("event", "events", ["name", "date"],
               ["start_time", "end_time", "location", "attendees", "online", "capacity", "url", "organizer", "tags", "notes"],
               {"name": lambda rng: pick(rng, pools.EVENTS)}),
    RecordKind("recipe", "recipes", ["name", "ingredients", "steps"],
               ["servings", "prep_time", "difficulty", "vegetarian", "calories", "tags"],
               {"name": lambda rng: pick(rng, pools.DISHES)}),
    RecordKind("weather report", "weather reports", ["city", "temperature", "condition"],
               ["unit", "humidity", "wind_speed", "forecast", "date", "timestamp", "coordinates"]),
    RecordKind("support ticket", "support tickets", ["id", "subject", "priority"],
               ["status", "customer", "assignee", "email", "tags", "created_at", "updated_at", "message", "due_date"]),
    RecordKind("address", "addresses", ["street", "city"], ["postal_code", "country", "country_code", "coordinates", "phone"]),
    RecordKind("city", "cities", ["name", "country", "population"], ["coordinates", "language", "timestamp", "website"],
               {"name": lambda rng: pick(rng, pools.CITIES)}),
    RecordKind("pet", "pets", ["name", "species", "age"], ["color", "weight", "birth_date", "notes", "active"],
               {"name": lambda rng: pick(rng, pools.PET_NAMES), "age": lambda rng: rng.randint(1, 15),
                "species": lambda rng: pick(rng, pools.ANIMALS)}),
    RecordKind("server", "servers", ["host", "port"], ["enabled", "version", "tags", "location", "url", "values", "id"]),
    RecordKind("task", "tasks", ["title", "status"], ["assignee", "due_date", "priority", "tags", "id", "notes", "created_at"],
               {"title": lambda rng: pick(rng, pools.TICKET_SUBJECTS)}),
]


def camel_case(key: str) -> str:
    head, *tail = key.replace(" ", "_").split("_")
    return head + "".join(word.capitalize() for word in tail)


def make_value(rng: Rng, kind: RecordKind | None, key: str) -> Any:
    maker = kind.overrides.get(key) if kind else None
    return (maker or FIELDS[key])(rng)


def choose_keys(rng: Rng, kind: RecordKind) -> list[str]:
    """Required keys and a few optional ones; one record in five in another order."""
    n_optional = rng.choice([0, 1, 1, 2, 2, 3, 4])
    keys = kind.required + rng.sample(kind.optional, min(n_optional, len(kind.optional)))
    if rng.random() < 0.2:
        rng.shuffle(keys)
    return keys


def make_record(rng: Rng, kind: RecordKind, keys: list[str]) -> dict:
    return {key: make_value(rng, kind, key) for key in keys}


def record_prompt(rng: Rng, kind: RecordKind) -> str:
    """A prompt that names the kind of record but no keys."""
    noun = kind.noun
    article = "an" if noun[0] in "aeio" else "a"
    if noun == "person" and rng.random() < 0.35:
        return rng.choice(["Make a self introduction please.", "Introduce yourself.", "Please introduce yourself as JSON.",
                           f"Make a self introduction for {full_name(rng)}.", "Write a short résumé."])
    topic = pick(rng, pools.NOUNS).lower()
    return rng.choice([
        f"Generate {article} {noun}.", f"Generate {article} {noun} record.", f"Give me a JSON record of {article} {noun}.",
        f"Generate {article} {noun} about {topic}.", f"Generate {article} {noun} about a {topic} in JSON format.",
        f"Create {article} {noun} as JSON.", f"Describe {article} {noun}.", f"Describe {article} {noun} in JSON.",
        f"I need {article} {noun}.", f"Write {article} {noun} in JSON", f"Return one {noun} object.",
        f"Make up {article} {noun}, please.", f"json {noun}", f"Please output {article} {noun}.",
        f"Give me an example {noun}.", f"Tell me about {article} {noun}. Answer in JSON.", f"Show me {article} random {noun}.",
    ])


def keyed_prompt(rng: Rng, noun: str, keys: list[str]) -> str:
    """A prompt that lists the keys wanted."""
    noun = f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
    listed = ", ".join(keys)
    quoted = ", ".join(f'"{key}"' for key in keys)
    return rng.choice([
        f"Generate {noun} with the fields {listed}.", f"Return a JSON object for {noun} with keys: {listed}",
        f"Give me {noun} as JSON. Use the keys {quoted}.", f"Create {noun}: {listed}",
        f"Write {noun} in JSON with {listed}.", f"Make {noun}. Properties: {quoted}.",
    ])


def list_prompt(rng: Rng, kind: RecordKind, n_records: int) -> str:
    count = rng.choice([str(n_records), ["zero", "one", "two", "three", "four", "five"][n_records]])
    return rng.choice([f"List {count} {kind.plural}.", f"Give me {count} {kind.plural} as JSON.",
                       f"Generate a JSON array of {count} {kind.plural}.", f"Write {count} {kind.plural}.",
                       f"Return a list of {kind.plural}."])


@dataclass(frozen=True)
class Tool:
    """A function a chat may call, and the questions that lead to a call of it."""

    name: str
    arguments: list[str]
    optional: list[str]
    questions: list[str]


TOOLS = [
    Tool("get_weather", ["city"], ["unit", "date"], ["What is the weather in {city}?", "Will it rain in {city}?",
                                                   "How warm is it in {city} today?", "Weather {city}"]),
    Tool("get_current_temperature", ["location"], ["unit"], ["What is the temperature in {location}?",
                                                           "Is it cold in {location} now?"]),
    Tool("search", ["query"], ["limit"], ["Search for {query}.", "Find pages about {query}.", "Look up {query}"]),
    Tool("send_email", ["to", "subject", "body"], ["cc"], ["Send an email to {to} about {subject}.", "Mail {to}: {subject}"]),
    Tool("book_flight", ["origin", "destination", "date"], ["passengers", "cabin"],
         ["Book a flight from {origin} to {destination} on {date}.", "I want to fly from {origin} to {destination} on {date}."]),
    Tool("create_event", ["title", "date"], ["attendees", "start_time"], ["Schedule {title} on {date}.",
                                                                        "Add {title} to my calendar on {date}."]),
    Tool("calculate", ["expression"], [], ["What is {expression}?", "Calculate {expression}.", "Compute {expression}"]),
    Tool("get_stock_price", ["symbol"], ["currency"], ["What is the price of {symbol}?", "How is {symbol} doing today?"]),
    Tool("convert_currency", ["amount", "from", "to_currency"], [], ["Convert {amount} {from} to {to_currency}."]),
    Tool("get_time", ["timezone"], [], ["What time is it in {timezone}?"]),
    Tool("set_light", ["room", "on"], ["brightness"], ["Change the light in the {room}.", "Light in the {room}, please."]),
    Tool("find_restaurants", ["city"], ["cuisine", "open_now", "max_price"], ["Find a restaurant in {city}.",
                                                                           "Where can I eat in {city}?"]),
]

TOOL_ARGUMENTS = {
    "city": FIELDS["city"], "location": FIELDS["city"], "unit": FIELDS["unit"], "date": date, "limit": lambda rng: rng.choice([3, 5, 10, 20]),
    "query": lambda rng: f"{pick(rng, pools.ADJECTIVES).lower()} {pick(rng, pools.NOUNS).lower()}", "to": email, "cc": lambda rng: [email(rng)],
    "subject": FIELDS["subject"], "body": FIELDS["message"], "origin": FIELDS["city"], "destination": FIELDS["city"],
    "passengers": lambda rng: rng.randint(1, 5), "cabin": lambda rng: rng.choice(["economy", "business", "first"]),
    "title": FIELDS["event"], "attendees": lambda rng: [email(rng) for _ in range(rng.randint(1, 2))], "start_time": FIELDS["start_time"],
    "expression": lambda rng: f"{rng.randint(1, 99)} {rng.choice('+-*/')} {rng.randint(1, 99)}",
    "symbol": lambda rng: rng.choice(["ACME", "NWND", "GLBX", "LUMN", "VRTX", "ORBT"]), "currency": FIELDS["currency"],
    "amount": lambda rng: rng.randint(1, 1000), "from": FIELDS["currency"], "to_currency": FIELDS["currency"],
    "timezone": lambda rng: rng.choice(["Europe/Paris", "America/New_York", "Asia/Tokyo", "UTC"]),
    "room": lambda rng: rng.choice(["kitchen", "bedroom", "office", "living room"]), "on": FIELDS["active"],
    "brightness": lambda rng: rng.randint(1, 100), "cuisine": lambda rng: rng.choice(["italian", "thai", "indian", "french"]),
    "open_now": FIELDS["active"], "max_price": lambda rng: rng.randint(10, 80),
}


def make_tool_call(rng: Rng) -> tuple[Tool, str, dict]:
    """A tool, a question that leads to it, and the call's arguments (which agree with the question)."""
    tool = pick(rng, TOOLS)
    keys = tool.arguments + some(rng, tool.optional, 0, 1)
    arguments = {key: TOOL_ARGUMENTS[key](rng) for key in keys}
    return tool, pick(rng, tool.questions).format(**arguments), arguments


def tool_list(rng: Rng, must_have: Tool) -> str:
    """The lines a chat template writes for `tools`; it must agree with `chat_template.jinja`."""
    tools = some(rng, [tool for tool in TOOLS if tool is not must_have], 0, 2) + [must_have]
    rng.shuffle(tools)
    return "".join(f"\n- {tool.name}({', '.join(tool.arguments + tool.optional)})" for tool in tools)


def make_classification(rng: Rng) -> tuple[str, Any]:
    """A review and its label, as an object or as a bare word."""
    label, templates = rng.choice([("positive", pools.POSITIVE), ("negative", pools.NEGATIVE), ("neutral", pools.NEUTRAL)])
    review = pick(rng, templates).format(thing=pick(rng, pools.PRODUCTS).lower(), emoji=pick(rng, pools.EMOJI))
    prompt = rng.choice([f"Classify the sentiment: {review}", f"Is this review positive, negative or neutral? {review}",
                         f"Sentiment of \"{review}\"?", f"Label this text.\n{review}"])
    answer = rng.choice([{"label": label}, {"sentiment": label}, label, {"label": label, "confidence": FIELDS["confidence"](rng)},
                         {"sentiment": label, "score": FIELDS["score"](rng)}])
    return prompt, answer


def make_extraction(rng: Rng) -> tuple[str, Any]:
    """A sentence and the facts in it; the answer copies from the prompt."""
    name, city, age = full_name(rng), FIELDS["city"](rng), FIELDS["age"](rng)
    day, mail, company, amount = date(rng), email(rng), pick(rng, pools.COMPANIES), FIELDS["price"](rng)
    sentence, answer = rng.choice([
        (f"{name} is {age} years old and lives in {city}.", {"name": name, "age": age, "city": city}),
        (f"{name} works for {company} in {city}.", {"name": name, "company": company, "city": city}),
        (f"Please write to {name} at {mail}.", {"name": name, "email": mail}),
        (f"The meeting in {city} is on {day} with {name}.", {"date": day, "location": city, "attendees": [name]}),
        (f"Invoice from {company}: {amount} EUR, due {day}.",
         {"company": company, "amount": amount, "currency": "EUR", "due_date": day}),
        (f"{name}, {ascii_lower(city)} office, started on {day}.", {"name": name, "start_date": day}),
    ])
    prompt = rng.choice([f"Extract the data as JSON: {sentence}", f"Extract the fields from this text.\n{sentence}",
                         f"{sentence}\nReturn JSON.", f"Turn this into JSON: {sentence}"])
    return prompt, answer
