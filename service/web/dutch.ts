/** The page in Dutch, which is authoritative: the other languages are translations of this. */

import type { Texts } from './texts.ts';

export const dutch: Texts = {
  language: 'Nederlands',
  translation: null,
  title: 'Een ontvangstbewijs controleren',
  question: 'Klopt dit bewijs?',
  lead: 'Kreeg u van een overheid een ontvangstbewijs? Hier ziet u of het echt is, en of er niets aan veranderd werd.',
  skip: 'Naar de inhoud',
  languages: 'Taal',
  noScript:
    'Deze pagina rekent zelf uit of een bewijs klopt. Daarvoor moet JavaScript aan staan. Zonder JavaScript kunt u hetzelfde nagaan met het programma zegel verify.',

  ways: {
    heading: 'Geef het bewijs',
    choose: 'Kies een bestand',
    drop: 'of sleep het hierheen. Het kunnen er ook meer zijn, met het document waar het over gaat erbij.',
    release: 'Laat los om te controleren',
    field: 'Of plak hier een code, een link of de tekst van een bewijs',
    fieldHint: 'Een code heeft 64 tekens: cijfers, en letters van a tot f.',
    check: 'Controleer',
    private:
      'De controle gebeurt in uw browser. Uw bestand verlaat dit toestel niet. Alleen voor een code, of voor een bewijs dat nog niet verankerd is, wordt het register om het openbare deel gevraagd.',
    retry: 'Opnieuw proberen',
    again: 'Een ander bewijs controleren',
    busy: 'Bezig met controleren…',
    busyMany: (done, all) => `Bezig met controleren: ${done} van ${all}…`,
  },

  verdicts: {
    matches: 'Klopt',
    'does-not-match': 'Klopt niet',
    'not-yet-anchored': 'Nog niet verankerd',
    'could-not-check': 'Kon niet gecontroleerd worden',
  },
  matches: {
    record: ({ agency, date }) =>
      `Dit klopt: ${agency} heeft dit ondertekend, en sinds ${date} is er niets aan veranderd.`,
    proofOnly: ({ agency, date }) =>
      `Dit klopt: er staat een vermelding van ${agency} in het register, en sinds ${date} is er niets aan veranderd.`,
    own: ({ date }) =>
      `Dit klopt: het is een vermelding van het register zelf, en sinds ${date} is er niets aan veranderd.`,
  },
  pending: {
    record: 'Dit is ondertekend en opgenomen in het register, maar het staat nog niet vast in de blockchain.',
    proofOnly: 'Dit is opgenomen in het register, maar het staat nog niet vast in de blockchain.',
    own: 'Deze vermelding van het register zelf staat nog niet vast in de blockchain.',
  },
  doesNotMatch: 'Dit klopt niet:',
  wrong: {
    parse: 'dit bestand heeft niet de vorm van een ontvangstbewijs.',
    statement: 'de handtekening hoort niet bij deze inhoud en deze sleutel.',
    commitment: 'de inhoud is niet wat er in het register werd opgenomen.',
    batch: 'deze gebeurtenis hoort niet bij wat er ondertekend werd.',
    inclusion: 'deze vermelding staat niet op deze plaats in het register.',
    checkpoint: 'geen register dat deze pagina vertrouwt, heeft dit ondertekend.',
    seals: 'te weinig controleurs van de blockchain hebben dit blok bezegeld.',
    anchor: 'in de blockchain staat niet wat dit bewijs beweert.',
    key: 'de sleutel was op dat ogenblik niet geldig voor een instantie.',
    time: 'de vermelding zegt jonger te zijn dan het blok dat ze vastlegt.',
    original: 'het bestand dat u ernaast legde, is niet wat er ondertekend werd.',
  },
  couldNotCheck: 'Dit kon niet gecontroleerd worden:',
  reasons: {
    'no-service': 'deze pagina komt van een schijf en weet niet bij welke dienst ze een code moet opvragen.',
    unreachable: 'de dienst van het register is nu niet te bereiken.',
    'not-found': 'de dienst zegt dat ze onder deze code niets heeft.',
    'strange-answer': 'de dienst gaf een antwoord dat geen bewijs is.',
    'other-record': 'de dienst gaf geen bewijs voor deze code, maar iets anders.',
    'not-verified':
      'wat de dienst stuurde, houdt geen stand. Dat ligt aan de dienst, of aan het vertrouwensbestand.',
    'no-trust': 'er is nog geen vertrouwensbestand. Kies er hieronder een.',
    'too-large': 'het bestand is groter dan een ontvangstbewijs kan zijn.',
    'too-many': 'dat zijn er te veel tegelijk. Geef er hoogstens duizend.',
    unreadable: 'uw browser kon het bestand niet lezen.',
    document:
      'dit is een document, geen ontvangstbewijs. Geef het ontvangstbewijs erbij, dan worden ze vergeleken.',
    event: 'dit is een gebeurtenis zonder bewijs. Geef het ontvangstbewijs erbij, dan worden ze vergeleken.',
    trust: 'dit is een vertrouwensbestand, geen ontvangstbewijs. Hieronder kunt u het gebruiken.',
    fork: 'dit is het bewijs dat een register zichzelf tegenspreekt. Controleer het met het programma zegel verify.',
    'link-damaged': 'de link is niet volledig. Kopieer hem opnieuw, van begin tot eind.',
    'not-recognised': 'dit is geen code, geen link en geen ontvangstbewijs.',
    'no-receipts': 'er staat geen ontvangstbewijs in dit bestand.',
    fault: 'er ging iets mis in deze pagina zelf.',
  },
  advice: {
    wrong:
      'Gebruik dit bestand niet als bewijs. Vraag het opnieuw aan wie het u gaf: het kan onderweg gewijzigd of beschadigd zijn.',
    otherLog: 'Komt het van een ander register, kies dan hieronder het vertrouwensbestand van dat register.',
    olderTrust:
      'Het kan ook aan het vertrouwensbestand liggen: is dat ouder dan het bewijs, kies dan hieronder een nieuwer.',
    original: 'Het ontvangstbewijs zelf klopt. Kijk na of u het juiste bestand koos.',
    unchecked: 'Dat zegt niets over het bewijs zelf.',
    development:
      'Dit is een register om mee te oefenen: niemand staat borg voor zijn blockchain, dus is dit bewijs niet definitief.',
    completed:
      'Het bewijs is intussen volledig. Bewaar het: u hebt dan niemand meer nodig om het te controleren.',
  },
  waiting: {
    expected: date => `Dat gebeurt normaal vóór ${date}.`,
    late: 'Dat duurt langer dan gewoonlijk.',
    unknown: 'Wanneer dat gebeurt, weet deze pagina niet.',
    bySelf: 'U hoeft niets te doen: deze pagina vraagt het na en vult het bewijs zelf aan.',
    noService:
      'Deze pagina heeft geen dienst om het na te vragen. Kom later terug, of vraag het volledige bewijs aan wie u dit gaf.',
    unreachable: 'De dienst van het register is nu niet te bereiken. Deze pagina blijft het proberen.',
    notFound: 'De dienst zegt dat ze hiervan niets weet. Deze pagina blijft het proberen.',
    notVerified: 'Wat de dienst stuurde, houdt geen stand. Deze pagina blijft het proberen.',
    asked: time => `Laatst nagevraagd om ${time}.`,
  },

  who: 'Wie',
  what: 'Wat',
  when: 'Wanneer',
  labels: {
    agency: 'Instantie',
    nameFrom: 'De naam komt uit het vertrouwensbestand. Bewezen is de code.',
    unproved: 'Nog niet bewezen: dat volgt met de verankering.',
    key: 'Sleutel',
    nobody: 'Het register zelf; geen instantie heeft dit ondertekend.',
    log: 'Register',
    kind: 'Soort vermelding',
    kinds: {
      transaction: 'Verrichting',
      audit: 'Spoor van een handeling',
      genesis: 'Begin van het register',
      chain: 'Verwijzing naar de blockchain',
    },
    type: 'Soort gebeurtenis',
    subject: 'Onderwerp',
    id: 'Kenmerk',
    source: 'Bron',
    eventTime: 'Tijd volgens de instantie',
    eventTimeBy: 'Wat de instantie zegt; niet bewezen.',
    content: 'Inhoud',
    more: count => `Nog ${count} regels: zie de tekst zoals ondertekend.`,
    asSigned: 'Zoals ondertekend',
    asSignedHint: 'Teken voor teken wat de instantie ondertekende. Wat u niet zou zien, is uitgeschreven.',
    noContent:
      'De inhoud staat niet in dit bewijs. De instantie, of wie er recht op heeft, kan een bewijs met inhoud geven.',
    entryTime: 'In het register',
    entryTimeBy: 'Tijd volgens het register.',
    blockTime: 'Vast in de blockchain',
    blockTimeBy: block => `Bewezen: niet later dan dit. Blok ${block}.`,
    notYet: 'Nog niet',
    code: 'Code',
    codeHint:
      'Met deze code kan iedereen nagaan dat dit in het register staat. De inhoud blijft daarbij geheim.',
  },

  steps: {
    heading: 'De tien stappen van de controle',
    lead: 'Elke stap steunt op de vorige. Bij de eerste die niet klopt, houdt de controle op.',
    passed: 'klopt',
    failed: 'klopt niet',
    skipped: 'niet van toepassing',
    notReached: 'niet meer bekeken',
    verifier: 'Melding van het rekenprogramma, in het Engels:',
    each: {
      parse: { title: 'Vorm', text: 'Het bestand heeft precies de vorm van een ontvangstbewijs.' },
      statement: {
        title: 'Handtekening',
        text: 'De handtekening past bij de inhoud en bij de sleutel, en is voor dit register bedoeld.',
      },
      commitment: {
        title: 'Inhoud',
        text: 'De vermelding in het register is gemaakt van precies deze inhoud.',
      },
      batch: { title: 'Bundel', text: 'De gebeurtenis hoort bij de bundel die samen ondertekend werd.' },
      inclusion: { title: 'Plaats', text: 'De vermelding staat op haar plaats in het register.' },
      checkpoint: { title: 'Register', text: 'Een register dat u vertrouwt, heeft deze stand ondertekend.' },
      seals: { title: 'Zegels', text: 'Genoeg controleurs van de blockchain hebben het blok bezegeld.' },
      anchor: { title: 'Anker', text: 'De stand van het register staat in dat blok.' },
      key: { title: 'Sleutel', text: 'De sleutel was toen geldig, en op naam van deze instantie.' },
      time: { title: 'Tijd', text: 'De vermelding is niet jonger dan het blok.' },
    },
  },

  limits: {
    heading: 'Wat dit bewijst, en wat niet',
    proves: 'Dit bewijst',
    provesNot: 'Dit bewijst niet',
    signed: ({ agency }) => `Een sleutel van ${agency} heeft dit ondertekend.`,
    existed: ({ date }) => `Het stond uiterlijk op ${date} in het register.`,
    unchanged: 'Sindsdien is er geen teken aan veranderd, ook niet door het register.',
    accepted: 'Het register heeft dit aanvaard en ondertekend.',
    signedOnly: 'Wie de sleutel heeft, heeft dit ondertekend.',
    sealed: 'Genoeg controleurs van de blockchain hebben het blok bezegeld: het kan niet meer verdwijnen.',
    truth: 'Dat waar is wat er staat. Een handtekening bewijst wie iets zei, niet dat het zo is.',
    later: 'Dat er later niets anders beslist werd. Dat staat dan in een ander bewijs.',
    exactTime: 'Wanneer het precies gebeurde. De tijd van het blok is alleen een uiterste grens.',
    contentMissing: 'Wat erin staat: de inhoud zit niet in dit bewijs.',
    notFinal: 'Dat het definitief is: wie een oefenketen beheert, kan alles overdoen.',
    notAnchored: 'Dat het blijft staan: zolang het niet verankerd is, hangt dat af van het register.',
    trust: 'Dat het vertrouwensbestand het juiste is. Vergelijk daarom de vingerafdruk.',
  },

  original: {
    heading: 'Hebt u het document zelf?',
    beside: 'Het bestand ernaast',
    lead: 'Leg het ernaast, dan ziet u of het is wat er ondertekend werd.',
    choose: 'Kies het document',
    busy: 'Bezig met vergelijken…',
    unreadable: 'Uw browser kon het bestand niet lezen.',
    loose: names => `Bestanden die bij geen van deze bewijzen horen: ${names}.`,
    found: {
      event: 'Dit is, teken voor teken, wat er ondertekend werd.',
      'event-respelt': 'Hierin staat hetzelfde als wat er ondertekend werd, alleen anders opgemaakt.',
      'other-event': 'Dit is een andere gebeurtenis dan die welke ondertekend werd.',
      'other-document': 'Dit is een ander bestand dan het document dat ondertekend werd.',
      'no-event': 'Er valt niets te vergelijken: de inhoud zit niet in dit bewijs.',
      'no-fingerprint':
        'Er valt niets te vergelijken: wat er ondertekend werd, noemt geen vingerafdruk van dit bestand.',
    },
    document: path =>
      `Dit is het bestand waarvan de vingerafdruk ondertekend werd${path === null ? '' : `, bij “${path}”`}.`,
  },

  trust: {
    heading: 'Waarop steunt dit?',
    lead: 'Op één bestand, het vertrouwensbestand: het zegt welk register, welke blockchain en welke controleurs deze pagina vertrouwt. Klopt dat bestand niet, dan zegt de controle niets.',
    ofPage: 'Dit vertrouwensbestand zat in de pagina.',
    ofVisitor: 'Dit vertrouwensbestand hebt u zelf gekozen.',
    none: 'Er zit geen vertrouwensbestand in deze pagina. Kies er zelf een.',
    fingerprint: 'Vingerafdruk (SHA-256)',
    how: 'De beheerder van het register maakt deze vingerafdruk ook langs een andere weg bekend, bijvoorbeeld op papier. Vergelijk ze met wat u daar ziet, of plak ze hier.',
    compare: 'Vingerafdruk die u elders vond',
    same: 'Gelijk.',
    different: 'Niet gelijk. Vertrouw deze pagina niet voor u weet waarom.',
    partial: 'Nog niet volledig: een vingerafdruk heeft 64 tekens.',
    issued: (number, date) => `Nummer ${number}, van ${date}.`,
    logs: 'Voor',
    own: 'Mijn eigen vertrouwensbestand gebruiken',
    back: 'Terug naar dat van de pagina',
    fault: 'Dat is geen vertrouwensbestand:',
    download: 'Vertrouwensbestand bewaren',
  },

  self: {
    heading: 'Zelf nagaan, zonder deze pagina',
    lead: 'Met het programma zegel, op uw eigen computer en zonder verbinding. Bewaar eerst beide bestanden.',
    receipt: 'Ontvangstbewijs bewaren',
    page: 'Deze pagina bewaren',
    pageHint: 'De bewaarde pagina werkt ook zonder internet.',
    print: 'Afdrukken',
    link: 'Link om dit opnieuw na te gaan',
  },

  table: {
    caption: 'De bewijzen die u gaf',
    summary: counts => {
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const parts = [`${counts.matches} van de ${all} ${counts.matches === 1 ? 'klopt' : 'kloppen'}`];
      if (counts['does-not-match'] > 0) parts.push(`${counts['does-not-match']} niet`);
      if (counts['not-yet-anchored'] > 0) parts.push(`${counts['not-yet-anchored']} nog niet verankerd`);
      if (counts['could-not-check'] > 0)
        parts.push(
          `${counts['could-not-check']} ${counts['could-not-check'] === 1 ? 'kon' : 'konden'} niet gecontroleerd worden`,
        );
      return `${parts.join(', ')}.`;
    },
    receipt: 'Bewijs',
    verdict: 'Oordeel',
    agency: 'Wie',
    when: 'Wanneer',
    what: 'Wat',
    open: 'Toon',
    back: 'Terug naar alle bewijzen',
    unnamed: number => `Bewijs ${number}`,
  },

  foot: 'Deze pagina stuurt uw bestanden niet door, bewaart niets en plaatst geen cookies.',
};
