"""Which words can appear in the made-up records?

Plain lists, no logic. Every entry was written for this script; nothing is copied from a data set, so the text made
from it carries no licence but the repository's own.
"""

FIRST_NAMES = """Alice Amara Ana Anders Anya Arthur Ayesha Ben Bianca Boris Camille Carlos Chen Chloe Clara Daniel Daria
David Diego Elena Elif Emily Emma Erik Esther Fatima Felix Fiona Frank Grace Hana Hannah Hassan Helen Hugo Ines Ingrid
Ivan Jack Jane Javier John Jonas José Julia Kai Karim Kate Kenji Lars Laura Leila Leo Lina Lucas Lucía Maria Marco Marie
Mark Mary Maya Mei Michael Mina Nadia Naomi Nina Noah Nora Olga Oliver Omar Oscar Paul Peter Petra Priya Rachel Ravi
Renée Robert Rosa Ruth Samir Sara Sofia Søren Stefan Susan Tariq Thomas Tim Tomás Uma Vera Victor Wei Yara Yuki Zoë""".split()

LAST_NAMES = """Adams Ahmed Andersson Bauer Bell Berg Bianchi Brown Carter Castillo Chen Clark Costa Cruz Davis Diaz
Dubois Evans Fischer Garcia Gómez Green Gupta Haddad Hall Hansen Hill Ivanova Jansen Johnson Jones Kaya Keller Khan Kim
King Kovács Kumar Larsen Lee Lewis Li Lopez Martin Mehta Meyer Miller Moore Moreau Müller Nakamura Nguyen Novak Okafor
Olsen Osei Park Patel Peeters Perez Petrov Reyes Rossi Sato Schmidt Scott Silva Singh Smith Stone Suzuki Tanaka Taylor
Torres Turner Virtanen Walker Wang Weber White Wilson Wood Wright Yamada Young Zhang""".split()

CITIES = """Amsterdam Athens Austin Barcelona Beijing Berlin Bogotá Boston Brussels Cairo Chicago Copenhagen Dakar Delhi
Denver Dublin Geneva Hamburg Helsinki Istanbul Jakarta Kyoto Lagos Lima Lisbon London Lyon Madrid Melbourne Milan Montréal
Mumbai Munich Nairobi Oslo Osaka Paris Porto Prague Rome Santiago Seattle Seoul Singapore Stockholm Sydney Tokyo Toronto
Tunis Vienna Warsaw Zürich 東京 上海""".split()

COUNTRIES = ["Argentina", "Australia", "Austria", "Belgium", "Brazil", "Canada", "Chile", "China", "Colombia", "Denmark",
             "Egypt", "Finland", "France", "Germany", "Greece", "India", "Ireland", "Italy", "Japan", "Kenya", "Mexico",
             "Morocco", "Netherlands", "New Zealand", "Nigeria", "Norway", "Peru", "Poland", "Portugal", "South Korea",
             "Spain", "Sweden", "Switzerland", "Turkey", "United Kingdom", "United States", "Vietnam"]

COUNTRY_CODES = "AR AU AT BE BR CA CH CL CN CO DE DK EG ES FI FR GB GR IE IN IT JP KE KR MX NG NL NO NZ PE PL PT SE TR US VN".split()

STREETS = ["Main Street", "Oak Avenue", "Park Road", "River Lane", "Hill Street", "Station Road", "Church Street",
           "Market Square", "Garden Way", "Lake Drive", "Rue de la Paix", "Bahnhofstraße", "Calle Mayor", "King Street"]

COMPANIES = ["Acme Corp", "Northwind", "Bluebird Labs", "Globex", "Harbor Foods", "Initech", "Lumen Systems", "Maple Bank",
             "Orbit Logistics", "Pine & Co", "Quanta Health", "Redwood Software", "Stellar Energy", "Summit Media",
             "Tidewater Shipping", "Umbra Design", "Vertex Robotics", "Willow Books", "Zephyr Air", "Green Valley Farms"]

JOB_TITLES = ["Software Engineer", "Data Scientist", "Product Manager", "Teacher", "Nurse", "Accountant", "Chef",
              "Architect", "Designer", "Sales Manager", "Research Assistant", "Mechanic", "Project Lead", "Analyst",
              "Technical Writer", "Electrician", "Librarian", "Consultant", "Marketing Director", "Intern"]

DEPARTMENTS = ["Engineering", "Sales", "Marketing", "Finance", "Support", "Operations", "Legal", "Research", "Design"]

SKILLS = """Python Java Rust SQL Go Docker Linux Git Excel writing cooking drawing teaching planning statistics design
sailing photography accounting negotiation JavaScript TypeScript Kubernetes C++ research leadership Spanish French
gardening welding editing testing""".split() + ["machine learning", "public speaking", "project management",
                                                "data analysis", "team work", "web design", "first aid"]

HOBBIES = ["reading", "hiking", "chess", "cycling", "painting", "running", "swimming", "music", "travel", "photography",
           "yoga", "football", "tennis", "baking", "climbing", "fishing", "dancing", "gaming", "knitting"]

LANGUAGES = ["English", "French", "German", "Spanish", "Italian", "Japanese", "Chinese", "Arabic", "Hindi", "Portuguese",
             "Korean", "Turkish", "Dutch", "Polish"]

ADJECTIVES = """Silent Hidden Golden Last Broken Blue Quiet Lost Little Long Dark Bright Ancient Secret Distant Burning
Frozen Empty Red White Endless Gentle Wild""".split()

NOUNS = """River Garden Tower House Winter Ocean Road Forest Mirror Night Island Letter City Storm Star Bridge Shadow Song
Mountain Door Map Library Train Sky Memory Dream Clock Harbor""".split()

GENRES = ["fantasy", "mystery", "romance", "thriller", "history", "biography", "poetry", "science fiction", "drama",
          "horror", "adventure", "comedy", "non-fiction"]

PUBLISHERS = ["Willow Books", "Harbor Press", "Northern Lights", "Penrose House", "Blue Door Editions", "Old Mill Press"]

PRODUCTS = ["Wireless Mouse", "Mechanical Keyboard", "Desk Lamp", "Coffee Mug", "Running Shoes", "Water Bottle", "Backpack",
            "Headphones", "Phone Case", "Office Chair", "Laptop Stand", "USB Cable", "Monitor", "Notebook", "Rain Jacket",
            "Garden Hose", "Tea Kettle", "Bike Helmet", "Yoga Mat", "Camera Lens", "Smart Watch", "Electric Toothbrush"]

PRODUCT_CATEGORIES = ["electronics", "books", "clothing", "home", "garden", "sports", "toys", "kitchen", "office", "music"]

COLORS = ["red", "blue", "green", "black", "white", "yellow", "gray", "orange", "purple", "silver"]

DISHES = ["Tomato Soup", "Pancakes", "Chicken Curry", "Caesar Salad", "Vegetable Stew", "Apple Pie", "Fried Rice",
          "Spaghetti Carbonara", "Banana Bread", "Lentil Soup", "Fish Tacos", "Mushroom Risotto", "Chocolate Cake",
          "Crème Brûlée", "Guacamole", "Miso Soup"]

INGREDIENTS = ["flour", "sugar", "salt", "butter", "eggs", "milk", "olive oil", "garlic", "onion", "tomatoes", "rice",
               "chicken", "basil", "pepper", "lemon", "cheese", "carrots", "potatoes", "mushrooms", "honey", "yeast"]

UNITS = ["g", "kg", "ml", "l", "cup", "cups", "tbsp", "tsp", "pieces", "cloves"]

RECIPE_STEPS = ["Heat the oil in a pan.", "Chop the onion and the garlic.", "Mix the flour with the sugar.",
                "Bake for 30 minutes.", "Add the tomatoes and stir.", "Season with salt and pepper.",
                "Boil the water.", "Let it rest for 10 minutes.", "Serve warm.", "Whisk the eggs with the milk.",
                "Simmer on low heat.", "Cut into slices."]

CONDITIONS = ["sunny", "cloudy", "rainy", "windy", "snowy", "foggy", "stormy", "clear", "partly cloudy"]

EVENTS = ["Team Meeting", "Product Launch", "Birthday Party", "Spring Concert", "Science Fair", "Code Review", "Workshop",
          "Book Club", "Annual Conference", "Charity Run", "Open Day", "Dentist Appointment", "Job Interview"]

TICKET_SUBJECTS = ["Cannot log in", "Payment failed", "App crashes on start", "Wrong item delivered", "Page loads slowly",
                   "Password reset not working", "Missing invoice", "Request for refund", "Feature request: dark mode",
                   "Email not received", "Broken link on home page", "Update my address"]

TAGS = ["new", "sale", "urgent", "draft", "featured", "popular", "archived", "beta", "internal", "travel", "food", "news",
        "tech", "health", "music", "family", "work", "bug", "billing", "shipping"]

ANIMALS = ["dog", "cat", "rabbit", "parrot", "horse", "hamster", "turtle", "goldfish"]

PET_NAMES = ["Luna", "Max", "Bella", "Rocky", "Coco", "Simba", "Daisy", "Milo", "Pepper", "Oreo"]

BRANDS = ["Toyota", "Volvo", "Ford", "Fiat", "Honda", "Tesla", "BMW", "Renault", "Mazda"]

DOMAINS = ["example.com", "example.org", "example.net", "mail.example.com", "acme.example", "shop.example"]

EMOJI = ["🎉", "😀", "👍", "❤️", "🚀", "☕", "🌧️", "🌍", "✅", "🐈"]

POSITIVE = ["I love this {thing}, it works great.", "The {thing} is excellent and arrived early.",
            "Best {thing} I have ever bought!", "Very happy with the {thing}. {emoji}", "The {thing} made my day."]

NEGATIVE = ["The {thing} broke after two days.", "I am very disappointed with this {thing}.",
            "Terrible {thing}, do not buy it.", "The {thing} never arrived.", "This {thing} is a waste of money."]

NEUTRAL = ["The {thing} is okay, nothing special.", "I received the {thing} on Monday.",
           "The {thing} does what it says.", "It is a {thing} like any other."]

PLAIN_QUESTIONS = [
    ("What is the capital of France?", "The capital of France is Paris."),
    ("Tell me something about the sea.", "The sea covers most of the planet and is home to many animals."),
    ("How do I make tea?", "Boil some water, add the tea, and wait for three minutes."),
    ("Why is the sky blue?", "The air scatters blue light more than red light, so the sky looks blue."),
    ("Say hello.", "Hello! How can I help you today?"),
    ("Hello", "Hello! How can I help you?"),
    ("Hi there!", "Hi! What can I do for you?"),
    ("Thank you.", "You are welcome!"),
    ("What is JSON?", "JSON is a text format for data: objects, arrays, strings, numbers, true, false and null."),
    ("Tell me a short story.", "Once upon a time there was a small house by the river. One night, a storm came. "
                               "In the morning the garden was full of stars."),
    ("Tell me a joke.", "Why did the function stop calling? It had nothing left to return."),
    ("Is water wet?", "Yes."), ("Is the moon made of cheese?", "No."), ("Do cats bark?", "No."),
    ("Can birds fly?", "Yes, most birds can fly."),
    ("Count to five.", "1, 2, 3, 4, 5"), ("How many days are in a week?", "There are 7 days in a week."),
    ("Write a sentence about the city.", "The city wakes early, and the first train crosses the bridge at five."),
]

NOTE_SENTENCES = ["Please call before delivery.", "Leave the package at the door.", "No further comments.",
                  "Works well in the morning.", "Follow up next week.", "The customer asked for a refund.",
                  "See the attached file.", "Bring a warm jacket.", "Limited stock.", "Handle with care.",
                  "Great for beginners.", "Not tested yet.", "Second floor, left door."]
