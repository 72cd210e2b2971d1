"""The grammars of the synthetic reviews, one text for each language.

The notation, which ``reviews.py`` reads::

    name: this | that              alternatives; a name ending in + or - has that polarity
    {name} {name!} {name?}         an expansion, of the opposite polarity, in the subjunctive
    w(as|ere)  fu(e|eron|era|eran) the verb by the noun's number (and mood)
    est[e|a|os|as]                 by the noun's gender and number
    [film]                         a domain: its rules are added to the common ones above

``telling`` decides the class of a review: ``yes`` states a clause of its polarity, ``no`` denies
a clause of the other polarity. ``n`` is the noun, ``A`` an adjective (``A1`` and ``A2`` differ,
``M`` agrees with no noun), ``C`` a concession about an aspect of the item, ``T`` a clause about an
aspect or the item. In English ``shoes*`` is a plural. Clauses are in the past tense and impersonal,
so that every speaker can say them.
"""

ENGLISH = """
the: the {n} | th(is|ese) {n}
S: {the} w(as|ere) {A} | {the} w(as|ere) {deg} {A} | {the} w(as|ere) {A1} and {A2} | {the} {V}
deg: really | truly | simply | genuinely | thoroughly | remarkably
who: my brother | my sister | my neighbour | my boss | a colleague | my cousin | my flatmate
  | the man in the shop | my mother-in-law | a friend from {city} | a well-known critic | my son
  | my dentist | the saleswoman | my old teacher | an influencer | the postman
told: says | swears | insists | maintains | claims | keeps repeating | is convinced
aside: , after {two} weeks, | , with all due respect, | , now that {month} is over,
  | , having slept on it,
A+: wonderful | excellent | superb | fantastic | brilliant | delightful | impressive | lovely
  | outstanding | marvellous | splendid | magnificent | great | good | terrific | charming
  | flawless | amazing | memorable | satisfying | fabulous | admirable | first-rate | exceptional
A-: awful | terrible | dreadful | horrible | bad | poor | disappointing | mediocre | lousy
  | appalling | atrocious | pathetic | dismal | hopeless | unpleasant | frustrating | irritating
  | second-rate | shoddy | disastrous | abysmal | depressing | lamentable | forgettable
V+: w(as|ere) worth every cent | kept every promise | exceeded all expectations | hit the mark
  | w(as|ere) a joy | left nothing to be desired | w(as|ere) a real find | deserved an award
  | w(as|ere) well worth the wait | won everyone over
V-: w(as|ere) a waste of money | broke every promise | fell short of all expectations | fell flat
  | missed the mark | w(as|ere) a chore | left a bitter taste | w(as|ere) not worth the trouble
  | w(as|ere) a letdown | w(as|ere) a disaster
telling: {verdict} | {contrast}
verdict: {yes} | {yes} | {yes} | {no!}
yes: {S} | in the end {S} | I can only say that {S} | I found {the} {deg} {A}
  | my own verdict is that {S} | {who} {told} that {S} and{aside} I have to agree
  | make no mistake, {S} | I have no doubt that {S} | nobody can deny that {S}
  | I do not exaggerate when I say that {S} | not once did I doubt that {S}
  | for me{aside} {S} | I never hesitate to repeat that {S} | I cannot deny{aside} that {S}
no: I can't say{aside} that {S} | I can't say that {S} | at no point did I feel that {S}
  | it is simply not true{aside} that {S} | I would never call {the} {A}
  | {the} w(as|ere) not at all the {A} {n} I was promised | there was nothing {A} about {the}
  | {who} {told} that {S} and{aside} I have to disagree | nobody will convince me that {S}
  | {A} is the last word I would use for {the} | {the} w(as|ere) neither {A1} nor {A2}
  | I do not think{aside} that {S} | I never got the feeling that {S}
  | I looked for the {A} {n} everyone talks about and never found (it|them)
contrast: although {C!}, {verdict} | {verdict}, although {C!} | {C!}, but {verdict}
  | {verdict}, even if {C!} | while {C!}, {verdict} | granted, {C!}; still, {verdict}
concession: {S} | {S} | {S} | {the} w(as|ere) not {A!} | nobody would call {the} {A!}
decoy: {who} {told} that {T} | according to {who}, {T} | {T}, or so {who} says
  | I had read somewhere that {T} | I had expected {the} to be {deg} {A} | the advert swore that {T}
  | {who} never said that {T} | {who} does not believe that {T} | some people will swear that {T}
  | nobody at the office thinks that {T} | {who} found {the} {A1} and {A2} | rumour has it that {T}
  | I asked {who} whether {T} | before I knew {the} I had imagined something {A}
  | {T}? Ask {who}, not me | I was told by {who} that {T}
filler: I paid {price} euros in {month}, taxes included | {who} came along and brought {two} friends
  | for the record, I am {age} years old and live near {city} with {two} cats
  | the receipt is still in the {colour} drawer
  | I write this on a {day} evening with the radio on and the window open
  | more photos at https://{site}.example.com/{year} | it rained that {day} and the tram was late
  | there are {age} other comments on this page, mostly from {city}
  | in case anyone asks, the {colour} bag in the photos belongs to {who}
  | we talked about football and the {colour} car of {who} until {two} in the morning
two: two | three | four | five | six | seven | eight | nine | ten
age: 19 | 23 | 27 | 31 | 34 | 38 | 42 | 45 | 51 | 56 | 63 | 70
price: 9.99 | 12.50 | 15 | 18.90 | 24.95 | 30 | 49 | 64.50 | 79 | 120
year: 1987 | 1994 | 2003 | 2009 | 2014 | 2016 | 2018 | 2019 | 2021 | 2023
site: myphotos | weekend-notes | blog | albums
day: Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday
month: January | February | March | April | May | June | July | August | September | October
city: Leeds | Dublin | Boston | Madrid | Oslo | Prague | Bristol | Toronto | Lisbon | Turin
colour: red | blue | green | grey | yellow | brown | purple | orange | black | white
[film]
item: film | movie | sequel | comedy | documentary
aspect: acting | plot | ending | soundtrack | dialogue | photography | costumes* | special effects*
A+: gripping | moving | witty | original | clever | hypnotic
A-: boring | predictable | slow | pretentious | laughable | tedious
filler: it runs for {age} minutes more than the television version and takes place in {city}
  | the story follows {two} sisters, a lost letter and the night train to {city}
  | we sat in row {two} with {who} and a bucket of popcorn
  | the director was born in {city} in {year} and used to paint {colour} boats
[book]
item: novel | book | biography | essay | collection
aspect: prose | translation | first chapter | illustrations* | characters* | ending | index
A+: absorbing | poetic | profound | inspiring | insightful | elegant
A-: dull | confusing | shallow | long-winded | clumsy | unreadable
filler: it has {age} chapters and a map of {city} on the last page
  | it tells of a {colour} house near {city} where {two} families spend the winter of {year}
  | I read on the train to {city}, about {age} pages every {day} | the author lives in {city}
  | the parcel left the warehouse on a {day} and reached {city} {two} days later
  | order number {year}-{age}, placed on a {day} in {month}
[table]
item: restaurant | bistro | pizzeria | tavern | bakery
aspect: soup | service | desserts* | coffee | bread | menu | side dishes* | wine | lunch
A+: exquisite | authentic | inviting | refined | heavenly | delicate
A-: overpriced | uninspired | bland | unappetising | revolting | soulless
filler: we were {two} at a {colour} table by the window | we booked for {two} o'clock on a {day}
  | I ordered the dish of the day and {who} the pasta with mushrooms
  | there is a car park for {age} cars behind the church
[device]
item: camera | phone | blender | headphones* | speakers* | kettle
aspect: battery | screen | buttons* | cable | case | charger | remote control | hinges*
A+: reliable | sturdy | handy | practical | ingenious | solid
A-: useless | flimsy | unreliable | defective | fragile | impractical
filler: the box weighs {two} kilos and holds {two} screws, a plug and a leaflet in {age} languages
  | I plugged (it|them) in on a {day} and charged (it|them) for {two} hours
  | I keep (it|them) in the kitchen next to the {colour} toaster
  | the parcel left the warehouse on a {day} and reached {city} {two} days later
  | order number {year}-{age}, placed on a {day} in {month}
[hotel]
item: hotel | hostel | guesthouse | campsite | apartment | cottage
aspect: bed | bathroom | pool | rooms* | garden | showers* | reception | terrace | kitchen
A+: cosy | spotless | comfortable | elegant | idyllic | peaceful
A-: filthy | shabby | run-down | gloomy | squalid | uncomfortable
filler: we stayed {two} nights in room {age} on the way to {city}
  | the bus to {city} stops at the corner every {age} minutes
  | we arrived on a {day} in {month} with {two} suitcases and {who}
[clothes]
item: jacket | backpack | shoes* | trousers* | sweater | boots*
aspect: zip | seams* | fabric | pockets* | lining | buttons* | stitching | laces*
A+: stylish | durable | tasteful | robust | elegant | well-made
A-: ugly | tacky | coarse | worn-out | badly made | unwearable
filler: I am {age} inches round the waist and ordered (it|them) in {colour}
  | I wore (it|them) {two} times in {city} and washed (it|them) at {age} degrees
  | (it|they) came folded in {colour} paper with {two} labels
  | the parcel left the warehouse on a {day} and reached {city} {two} days later
  | order number {year}-{age}, placed on a {day} in {month}
"""

SPANISH = """
the: [el|la|los|las] {n} | est[e|a|os|as] {n}
S: {the} fu(e|eron|era|eran) {A} | {the} result(ó|aron|ara|aran) {deg} {A}
  | {the} fu(e|eron|era|eran) {A1} y {A2} | {the} {V}
deg: realmente | verdaderamente | sencillamente | francamente | ciertamente | de veras
who: mi hermano | mi hermana | mi vecina | mi jefe | una compañera de trabajo | mi primo
  | el vendedor | mi suegra | un amigo de {city} | un crítico famoso | mi hijo | la dentista
  | mi profesora | el cartero | una periodista | mi cuñado | mi compañero de piso
told: dice | jura | insiste en | sostiene | asegura | repite | afirma
aside: , después de {two} semanas, | , con todo el respeto,
  | , ahora que ya pasó {month}, | , tras pensarlo bien,
A+: maravilloso | excelente | magnífico | fantástico | estupendo | genial | espléndido | bueno
  | impresionante | fabuloso | encantador | sobresaliente | admirable | extraordinario | soberbio
  | memorable | agradable | perfecto | formidable | brillante | precioso | inmejorable | ejemplar
A-: horrible | malo | pésimo | terrible | espantoso | decepcionante | mediocre | lamentable
  | desastroso | deplorable | patético | nefasto | penoso | insoportable | frustrante | atroz
  | desagradable | irritante | deprimente | infame | vergonzoso | desesperante | chapucero
V+: merec(ió|ieron|iera|ieran) la pena | cumpl(ió|ieron|iera|ieran) lo prometido
  | super(ó|aron|ara|aran) las expectativas | fu(e|eron|era|eran) un acierto
  | fu(e|eron|era|eran) una joya | dej(ó|aron|ara|aran) a todos con la boca abierta
  | val(ió|ieron|iera|ieran) cada euro | fu(e|eron|era|eran) una delicia
V-: fu(e|eron|era|eran) una pérdida de tiempo | incumpl(ió|ieron|iera|ieran) lo prometido
  | defraud(ó|aron|ara|aran) las expectativas | fu(e|eron|era|eran) un error
  | fu(e|eron|era|eran) una estafa | dej(ó|aron|ara|aran) a todos con mal sabor de boca
  | decepcion(ó|aron|ara|aran) de principio a fin | fu(e|eron|era|eran) un desastre
telling: {verdict} | {contrast}
verdict: {yes} | {yes} | {yes} | {no!}
yes: {S} | al final {S} | solo puedo decir que {S} | {the} me pareci(ó|eron) {deg} {A}
  | mi veredicto es que {S} | {who} {told} que {S} y{aside} tengo que darle la razón
  | no hay duda de que {S} | nadie puede negar que {S} | no exagero si digo que {S}
  | nunca dudé de que {S} | sin ninguna duda, {S} | tampoco voy a ocultarlo: {S}
  | para mí{aside} {S} | no me canso de repetir que {S} | para qué negarlo, {S}
no: no puedo decir{aside} que {S?} | no puedo decir que {S?} | en ningún momento sentí que {S?}
  | no es verdad{aside} que {S?} | nunca diría que {S?} | {the} no tuv(o|ieron) nada de {A}
  | de {A} no tuv(o|ieron) nada {the} | tampoco creo{aside} que {S?}
  | ni rastro [del|de la|de los|de las] {n} {A} que me habían prometido
  | {who} {told} que {S} y{aside} tengo que llevarle la contraria | nunca pensé que {S?}
  | nadie me va a convencer de que {S} | {the} no fu(e|eron) ni {A1} ni {A2}
  | llegué al final sin creer ni un momento que {S?}
  | no encontré por ninguna parte [el|la|los|las] {n} {A} que me había descrito {who}
contrast: aunque {C!}, {verdict} | {verdict}, aunque {C!} | {C!}, pero {verdict}
  | a pesar de que {C!}, {verdict} | {verdict}, si bien {C!} | {C!}; sin embargo, {verdict}
  | es cierto que {C!}; con todo, {verdict}
concession: {S} | {S} | {S} | {the} no fu(e|eron) {A!}
  | nadie llamaría {A!} [al|a la|a los|a las] {n}
decoy: {who} {told} que {T} | según {who}, {T} | {T}, o eso dice {who} | había leído que {T}
  | yo esperaba que {T?} | la publicidad juraba que {T} | {who} nunca dijo que {T?}
  | {who} no cree que {T?} | hay quien jura que {T} | nadie en la oficina piensa que {T?}
  | {the} le pareci(ó|eron) {A1} y {A2} a {who} | corre el rumor de que {T}
  | antes de conocer {the} me había imaginado algo {M} | ¿Que {T}? Que conteste {who}, yo no
  | le pregunté a {who} si {T} | me contó {who} que {T}
filler: pagué {price} euros en {month}, impuestos incluidos | {who} vino con {two} amigos
  | por si a alguien le interesa, tengo {age} años y vivo cerca de {city} con {two} gatos
  | el recibo sigue en el cajón {colour}
  | escribo esto un {day} por la noche con la radio puesta y la ventana abierta
  | más fotos en https://{site}.example.com/{year} | aquel {day} llovía y el tranvía llegó tarde
  | hay otros {age} comentarios en esta página, casi todos de {city}
  | por si alguien pregunta, la bolsa que sale en las fotos es de {who}
  | hablamos de fútbol y del coche {colour} de {who} hasta las {two} de la mañana
two: dos | tres | cuatro | cinco | seis | siete | ocho | nueve | diez
age: 19 | 23 | 27 | 32 | 34 | 38 | 42 | 45 | 52 | 56 | 63 | 70
price: 9,99 | 12,50 | 15 | 18,90 | 24,95 | 30 | 49 | 64,50 | 79 | 120
year: 1987 | 1994 | 2003 | 2009 | 2014 | 2016 | 2018 | 2019 | 2021 | 2023
site: misfotos | notas-de-viaje | blog | albumes
day: lunes | martes | miércoles | jueves | viernes | sábado | domingo
month: enero | febrero | marzo | abril | mayo | junio | julio | agosto | septiembre | octubre
city: Madrid | Sevilla | Bilbao | León | Cádiz | Bogotá | Lima | Quito | Oviedo | Málaga
colour: rojo | azul | verde | gris | amarillo | marrón | morado | negro | blanco
[film]
item: la película | la secuela | la comedia | el documental | el largometraje
aspect: el guion | la banda sonora | los diálogos | las actuaciones | el final | la fotografía
  | los efectos especiales | el vestuario
A+: emocionante | ingenioso | original | conmovedor | hipnótico | inteligente
A-: aburrido | previsible | lento | pretencioso | ridículo | tedioso
filler: dura {age} minutos más que la versión de televisión y transcurre en {city}
  | la historia sigue a {two} hermanas, una carta perdida y el tren nocturno de {city}
  | nos sentamos en la fila {two} con {who} y un cubo de palomitas
  | la directora nació en {city} en {year} y antes pintaba barcos
[book]
item: la novela | el libro | la biografía | el ensayo | la antología
aspect: la prosa | la traducción | el primer capítulo | las ilustraciones | los personajes
  | el desenlace | el prólogo
A+: absorbente | poético | profundo | inspirador | lúcido | elegante
A-: soso | confuso | superficial | farragoso | torpe | ilegible
filler: tiene {age} capítulos y un mapa de {city} en la última página
  | cuenta cómo {two} familias pasan el invierno de {year} en una casa cerca de {city}
  | leí en el tren de {city}, unas {age} páginas cada {day} | quien escribe vive en {city}
  | el paquete salió del almacén un {day} y llegó a {city} {two} días más tarde
  | pedido número {year}-{age}, hecho un {day} de {month}
[table]
item: el restaurante | la pizzería | la taberna | el bar | la cafetería
aspect: la sopa | el servicio | los postres | el café | las tapas | el menú | el vino | la comida
A+: exquisito | auténtico | apetecible | refinado | delicado | irresistible
A-: carísimo | insípido | vulgar | asqueroso | insulso | repugnante
filler: éramos {two} en una mesa junto a la ventana | reservamos para las {two} de un {day}
  | yo pedí el plato del día y {who} la pasta con setas
  | detrás de la iglesia hay sitio para {age} coches
[device]
item: la cámara | el teléfono | la batidora | los auriculares | los altavoces | el hervidor
aspect: la batería | la pantalla | los botones | el cable | la funda | el cargador | las bisagras
A+: fiable | robusto | práctico | cómodo | ingenioso | sólido
A-: inútil | endeble | defectuoso | frágil | incómodo | inservible
filler: la caja pesa {two} kilos y trae {two} tornillos, un enchufe y un folleto en {age} idiomas
  | [lo|la|los|las] enchufé un {day} y esperé {two} horas
  | [lo|la|los|las] tengo en la cocina junto al microondas {colour}
  | el paquete salió del almacén un {day} y llegó a {city} {two} días más tarde
  | pedido número {year}-{age}, hecho un {day} de {month}
[hotel]
item: el hotel | el albergue | la pensión | el camping | el apartamento | la casa rural
aspect: la cama | el baño | la piscina | las habitaciones | el jardín | las duchas | la recepción
  | la terraza | los pasillos
A+: acogedor | impecable | confortable | elegante | idílico | reluciente
A-: sucio | destartalado | mugriento | sombrío | inhóspito | ruinoso
filler: estuvimos {two} noches en la habitación {age} de camino a {city}
  | el autobús de {city} para en la esquina cada {age} minutos
  | llegamos un {day} de {month} con {two} maletas y {who}
[clothes]
item: la chaqueta | la mochila | los zapatos | los pantalones | el jersey | las botas
aspect: la cremallera | las costuras | el tejido | los bolsillos | el forro | los botones
A+: elegante | duradero | bonito | resistente | refinado | favorecedor
A-: feo | hortera | áspero | desgastado | descosido | endeble
filler: mido casi dos metros y elegí el color {colour}
  | [lo|la|los|las] llevé {two} veces en {city} y [lo|la|los|las] lavé con agua fría
  | [lo|la|los|las] recibí en papel {colour} con {two} etiquetas
  | el paquete salió del almacén un {day} y llegó a {city} {two} días más tarde
  | pedido número {year}-{age}, hecho un {day} de {month}
"""
