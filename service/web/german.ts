/** The page in German. */

import type { Texts } from './texts.ts';

export const german: Texts = {
  language: 'Deutsch',
  translation: 'Dies ist eine Übersetzung. Maßgeblich ist der niederländische Text.',
  title: 'Einen Beleg prüfen',
  question: 'Stimmt dieser Beleg?',
  lead: 'Haben Sie von einer Behörde einen Beleg erhalten? Hier sehen Sie, ob er echt ist und ob nichts daran geändert wurde.',
  skip: 'Zum Inhalt',
  languages: 'Sprache',
  noScript:
    'Diese Seite rechnet selbst aus, ob ein Beleg stimmt. Dafür muss JavaScript eingeschaltet sein. Ohne JavaScript können Sie dasselbe mit dem Programm zegel verify tun.',

  ways: {
    heading: 'Den Beleg angeben',
    choose: 'Datei auswählen',
    drop: 'oder hierher ziehen. Es können auch mehrere sein, mit dem Dokument, um das es geht.',
    release: 'Zum Prüfen loslassen',
    field: 'Oder einen Code, einen Link oder den Text eines Belegs hier einfügen',
    fieldHint: 'Ein Code hat 64 Zeichen: Ziffern und Buchstaben von a bis f.',
    check: 'Prüfen',
    private:
      'Geprüft wird in Ihrem Browser. Ihre Datei verlässt dieses Gerät nicht. Nur für einen Code, oder für einen noch nicht verankerten Beleg, wird das Register nach dem öffentlichen Teil gefragt.',
    retry: 'Noch einmal versuchen',
    again: 'Einen anderen Beleg prüfen',
    busy: 'Wird geprüft…',
    busyMany: (done, all) => `Wird geprüft: ${done} von ${all}…`,
  },

  verdicts: {
    matches: 'Stimmt',
    'does-not-match': 'Stimmt nicht',
    'not-yet-anchored': 'Noch nicht verankert',
    'could-not-check': 'Konnte nicht geprüft werden',
  },
  matches: {
    record: ({ agency, date }) =>
      `Das stimmt: ${agency} hat dies unterschrieben, und seit dem ${date} hat sich nichts daran geändert.`,
    proofOnly: ({ agency, date }) =>
      `Das stimmt: Im Register steht ein Eintrag von ${agency}, und seit dem ${date} hat sich nichts daran geändert.`,
    own: ({ date }) =>
      `Das stimmt: Es ist ein Eintrag des Registers selbst, und seit dem ${date} hat sich nichts daran geändert.`,
  },
  pending: {
    record:
      'Dies ist unterschrieben und ins Register aufgenommen, steht aber noch nicht fest in der Blockchain.',
    proofOnly: 'Dies ist ins Register aufgenommen, steht aber noch nicht fest in der Blockchain.',
    own: 'Dieser Eintrag des Registers selbst steht noch nicht fest in der Blockchain.',
  },
  doesNotMatch: 'Das stimmt nicht:',
  wrong: {
    parse: 'Diese Datei hat nicht die Form eines Belegs.',
    statement: 'Die Unterschrift gehört nicht zu diesem Inhalt und diesem Schlüssel.',
    commitment: 'Der Inhalt ist nicht der, der ins Register aufgenommen wurde.',
    batch: 'Dieses Ereignis gehört nicht zu dem, was unterschrieben wurde.',
    inclusion: 'Dieser Eintrag steht nicht an dieser Stelle im Register.',
    checkpoint: 'Kein Register, dem diese Seite vertraut, hat dies unterschrieben.',
    seals: 'Zu wenige Prüfer der Blockchain haben diesen Block besiegelt.',
    anchor: 'In der Blockchain steht nicht, was dieser Beleg behauptet.',
    key: 'Der Schlüssel war zu diesem Zeitpunkt für keine Stelle gültig.',
    time: 'Der Eintrag gibt sich jünger als der Block, der ihn festhält.',
    original: 'Die Datei, die Sie daneben gelegt haben, ist nicht das, was unterschrieben wurde.',
  },
  couldNotCheck: 'Dies konnte nicht geprüft werden:',
  reasons: {
    'no-service':
      'Diese Seite kommt von einem Datenträger und weiß nicht, welchen Dienst sie nach einem Code fragen soll.',
    unreachable: 'Der Dienst des Registers ist zurzeit nicht erreichbar.',
    'not-found': 'Der Dienst sagt, dass er unter diesem Code nichts hat.',
    'strange-answer': 'Der Dienst gab eine Antwort, die kein Beleg ist.',
    'other-record': 'Der Dienst gab keinen Beleg für diesen Code, sondern etwas anderes.',
    'not-verified':
      'Was der Dienst geschickt hat, hält nicht stand. Das liegt am Dienst oder an der Vertrauensdatei.',
    'no-trust': 'Es gibt noch keine Vertrauensdatei. Wählen Sie unten eine aus.',
    'too-large': 'Die Datei ist größer, als ein Beleg sein kann.',
    'too-many': 'Das sind zu viele auf einmal. Geben Sie höchstens tausend an.',
    unreadable: 'Ihr Browser konnte die Datei nicht lesen.',
    document: 'Dies ist ein Dokument, kein Beleg. Geben Sie auch den Beleg an, dann werden sie verglichen.',
    event: 'Dies ist ein Ereignis ohne Beleg. Geben Sie auch den Beleg an, dann werden sie verglichen.',
    trust: 'Dies ist eine Vertrauensdatei, kein Beleg. Unten können Sie sie verwenden.',
    fork: 'Dies beweist, dass ein Register sich selbst widerspricht. Prüfen Sie es mit dem Programm zegel verify.',
    'link-damaged': 'Der Link ist nicht vollständig. Kopieren Sie ihn noch einmal, von Anfang bis Ende.',
    'not-recognised': 'Dies ist kein Code, kein Link und kein Beleg.',
    'no-receipts': 'In dieser Datei steht kein Beleg.',
    fault: 'In dieser Seite selbst ist etwas schiefgegangen.',
  },
  advice: {
    wrong:
      'Verwenden Sie diese Datei nicht als Beweis. Bitten Sie noch einmal darum, wo Sie sie erhalten haben: Sie kann unterwegs geändert oder beschädigt worden sein.',
    otherLog: 'Kommt der Beleg von einem anderen Register, so wählen Sie unten dessen Vertrauensdatei.',
    olderTrust:
      'Es kann auch an der Vertrauensdatei liegen: Ist sie älter als der Beleg, so wählen Sie unten eine neuere.',
    original: 'Der Beleg selbst stimmt. Sehen Sie nach, ob Sie die richtige Datei gewählt haben.',
    unchecked: 'Das sagt nichts über den Beleg selbst.',
    development:
      'Dies ist ein Register zum Üben: Niemand steht für seine Blockchain ein, also ist dieser Beleg nicht endgültig.',
    completed:
      'Der Beleg ist jetzt vollständig. Bewahren Sie ihn auf: Sie brauchen niemanden mehr, um ihn zu prüfen.',
  },
  waiting: {
    expected: date => `Das geschieht normalerweise vor ${date}.`,
    late: 'Das dauert länger als gewöhnlich.',
    unknown: 'Wann das geschieht, weiß diese Seite nicht.',
    bySelf: 'Sie müssen nichts tun: Diese Seite fragt nach und vervollständigt den Beleg selbst.',
    noService:
      'Diese Seite hat keinen Dienst, den sie fragen kann. Kommen Sie später wieder, oder bitten Sie dort um den vollständigen Beleg, wo Sie diesen erhalten haben.',
    unreachable: 'Der Dienst des Registers ist zurzeit nicht erreichbar. Diese Seite versucht es weiter.',
    notFound: 'Der Dienst sagt, dass er davon nichts weiß. Diese Seite versucht es weiter.',
    notVerified: 'Was der Dienst geschickt hat, hält nicht stand. Diese Seite versucht es weiter.',
    asked: time => `Zuletzt gefragt um ${time}.`,
  },

  who: 'Wer',
  what: 'Was',
  when: 'Wann',
  labels: {
    agency: 'Stelle',
    nameFrom: 'Der Name kommt aus der Vertrauensdatei. Bewiesen ist der Code.',
    unproved: 'Noch nicht bewiesen: Das folgt mit der Verankerung.',
    key: 'Schlüssel',
    nobody: 'Das Register selbst; keine Stelle hat dies unterschrieben.',
    log: 'Register',
    kind: 'Art des Eintrags',
    kinds: {
      transaction: 'Vorgang',
      audit: 'Spur einer Handlung',
      genesis: 'Anfang des Registers',
      chain: 'Verweis auf die Blockchain',
    },
    type: 'Art des Ereignisses',
    subject: 'Gegenstand',
    id: 'Kennzeichen',
    source: 'Quelle',
    eventTime: 'Zeit nach Angabe der Stelle',
    eventTimeBy: 'Was die Stelle sagt; nicht bewiesen.',
    content: 'Inhalt',
    more: count => `Noch ${count} Zeilen: siehe den Text wie unterschrieben.`,
    asSigned: 'Wie unterschrieben',
    asSignedHint:
      'Zeichen für Zeichen, was die Stelle unterschrieben hat. Was Sie nicht sähen, ist ausgeschrieben.',
    noContent:
      'Der Inhalt steht nicht in diesem Beleg. Die Stelle, oder wer ein Recht darauf hat, kann einen mit Inhalt geben.',
    entryTime: 'Im Register',
    entryTimeBy: 'Zeit nach Angabe des Registers.',
    blockTime: 'Fest in der Blockchain',
    blockTimeBy: block => `Bewiesen: nicht später als dies. Block ${block}.`,
    notYet: 'Noch nicht',
    code: 'Code',
    codeHint:
      'Mit diesem Code kann jeder sehen, dass dies im Register steht. Der Inhalt bleibt dabei geheim.',
  },

  steps: {
    heading: 'Die zehn Schritte der Prüfung',
    lead: 'Jeder Schritt stützt sich auf den vorigen. Beim ersten, der nicht stimmt, endet die Prüfung.',
    passed: 'stimmt',
    failed: 'stimmt nicht',
    skipped: 'entfällt',
    notReached: 'nicht mehr angesehen',
    verifier: 'Meldung des Prüfprogramms, auf Englisch:',
    each: {
      parse: { title: 'Form', text: 'Die Datei hat genau die Form eines Belegs.' },
      statement: {
        title: 'Unterschrift',
        text: 'Die Unterschrift passt zum Inhalt und zum Schlüssel und gilt diesem Register.',
      },
      commitment: { title: 'Inhalt', text: 'Der Eintrag im Register ist aus genau diesem Inhalt gemacht.' },
      batch: { title: 'Bündel', text: 'Das Ereignis gehört zum Bündel, das zusammen unterschrieben wurde.' },
      inclusion: { title: 'Stelle', text: 'Der Eintrag steht an seiner Stelle im Register.' },
      checkpoint: {
        title: 'Register',
        text: 'Ein Register, dem Sie vertrauen, hat diesen Stand unterschrieben.',
      },
      seals: { title: 'Siegel', text: 'Genug Prüfer der Blockchain haben den Block besiegelt.' },
      anchor: { title: 'Anker', text: 'Der Stand des Registers steht in diesem Block.' },
      key: { title: 'Schlüssel', text: 'Der Schlüssel war damals gültig, auf den Namen dieser Stelle.' },
      time: { title: 'Zeit', text: 'Der Eintrag ist nicht jünger als der Block.' },
    },
  },

  limits: {
    heading: 'Was dies beweist, und was nicht',
    proves: 'Dies beweist',
    provesNot: 'Dies beweist nicht',
    signed: ({ agency }) => `Ein Schlüssel von ${agency} hat dies unterschrieben.`,
    existed: ({ date }) => `Es stand spätestens am ${date} im Register.`,
    unchanged: 'Seitdem hat sich kein Zeichen daran geändert, auch nicht durch das Register.',
    accepted: 'Das Register hat dies angenommen und unterschrieben.',
    signedOnly: 'Wer den Schlüssel hat, hat dies unterschrieben.',
    sealed: 'Genug Prüfer der Blockchain haben den Block besiegelt: Er kann nicht mehr verschwinden.',
    truth: 'Dass wahr ist, was dort steht. Eine Unterschrift beweist, wer etwas sagte, nicht dass es so ist.',
    later: 'Dass später nichts anderes entschieden wurde. Das stünde in einem anderen Beleg.',
    exactTime: 'Wann genau es geschah. Die Zeit des Blocks ist nur eine äußerste Grenze.',
    contentMissing: 'Was dort steht: Der Inhalt ist nicht in diesem Beleg.',
    notFinal: 'Dass es endgültig ist: Wer eine Übungs-Blockchain betreibt, kann alles noch einmal machen.',
    notAnchored: 'Dass es bestehen bleibt: Bis es verankert ist, hängt das vom Register ab.',
    trust: 'Dass die Vertrauensdatei die richtige ist. Vergleichen Sie deshalb den Fingerabdruck.',
  },

  original: {
    heading: 'Haben Sie das Dokument selbst?',
    beside: 'Die Datei daneben',
    lead: 'Legen Sie es daneben, dann sehen Sie, ob es das ist, was unterschrieben wurde.',
    choose: 'Dokument auswählen',
    busy: 'Wird verglichen…',
    unreadable: 'Ihr Browser konnte die Datei nicht lesen.',
    loose: names => `Dateien, die zu keinem dieser Belege gehören: ${names}.`,
    found: {
      event: 'Das ist, Zeichen für Zeichen, was unterschrieben wurde.',
      'event-respelt': 'Darin steht dasselbe wie in dem, was unterschrieben wurde, nur anders gesetzt.',
      'other-event': 'Das ist ein anderes Ereignis als das, welches unterschrieben wurde.',
      'other-document': 'Das ist eine andere Datei als das Dokument, das unterschrieben wurde.',
      'no-event': 'Es gibt nichts zu vergleichen: Der Inhalt ist nicht in diesem Beleg.',
      'no-fingerprint':
        'Es gibt nichts zu vergleichen: Was unterschrieben wurde, nennt keinen Fingerabdruck dieser Datei.',
    },
    document: path =>
      `Das ist die Datei, deren Fingerabdruck unterschrieben wurde${path === null ? '' : `, bei „${path}“`}.`,
  },

  trust: {
    heading: 'Worauf stützt sich das?',
    lead: 'Auf eine einzige Datei, die Vertrauensdatei: Sie sagt, welchem Register, welcher Blockchain und welchen Prüfern diese Seite vertraut. Stimmt diese Datei nicht, so sagt die Prüfung nichts.',
    ofPage: 'Diese Vertrauensdatei lag in der Seite.',
    ofVisitor: 'Diese Vertrauensdatei haben Sie selbst gewählt.',
    none: 'In dieser Seite liegt keine Vertrauensdatei. Wählen Sie selbst eine aus.',
    fingerprint: 'Fingerabdruck (SHA-256)',
    how: 'Der Betreiber des Registers gibt diesen Fingerabdruck auch auf einem anderen Weg bekannt, zum Beispiel auf Papier. Vergleichen Sie ihn mit dem, was Sie dort sehen, oder fügen Sie ihn hier ein.',
    compare: 'Fingerabdruck, den Sie anderswo gefunden haben',
    same: 'Gleich.',
    different: 'Nicht gleich. Vertrauen Sie dieser Seite nicht, bevor Sie wissen, warum.',
    partial: 'Noch nicht vollständig: Ein Fingerabdruck hat 64 Zeichen.',
    issued: (number, date) => `Nummer ${number}, vom ${date}.`,
    logs: 'Für',
    own: 'Eine eigene Vertrauensdatei verwenden',
    back: 'Zurück zu der in der Seite',
    fault: 'Das ist keine Vertrauensdatei:',
    download: 'Vertrauensdatei speichern',
  },

  self: {
    heading: 'Selbst prüfen, ohne diese Seite',
    lead: 'Mit dem Programm zegel, auf Ihrem eigenen Rechner und ohne Verbindung. Speichern Sie zuerst beide Dateien.',
    receipt: 'Beleg speichern',
    page: 'Diese Seite speichern',
    pageHint: 'Die gespeicherte Seite funktioniert auch ohne Internet.',
    print: 'Drucken',
    link: 'Link, um dies noch einmal zu prüfen',
  },

  table: {
    caption: 'Die Belege, die Sie angegeben haben',
    summary: counts => {
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const parts = [`${counts.matches} von ${all} ${counts.matches === 1 ? 'stimmt' : 'stimmen'}`];
      if (counts['does-not-match'] > 0) parts.push(`${counts['does-not-match']} nicht`);
      if (counts['not-yet-anchored'] > 0) parts.push(`${counts['not-yet-anchored']} noch nicht verankert`);
      if (counts['could-not-check'] > 0) parts.push(`${counts['could-not-check']} nicht geprüft`);
      return `${parts.join(', ')}.`;
    },
    receipt: 'Beleg',
    verdict: 'Urteil',
    agency: 'Wer',
    when: 'Wann',
    what: 'Was',
    open: 'Zeigen',
    back: 'Zurück zu allen Belegen',
    unnamed: number => `Beleg ${number}`,
  },

  foot: 'Diese Seite gibt Ihre Dateien nicht weiter, bewahrt nichts auf und setzt keine Cookies.',
};
