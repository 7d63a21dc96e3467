/**
 * The most used passwords of eight characters and more, and the words that most others are made of by adding digits
 * and signs. A compact list by hand instead of a file of millions: it stops what is tried first.
 */

/** Refused as they stand, in any case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `1qaz2wsx 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc qazwsxedcrfv 1qazxsw2 zaq12wsx
  zaq1zaq1 zaq1xsw2 xsw2zaq1 1qaz2wsx3edc 1qazzaq1 qweasdzxc qweasd123 asdzxc123 zxcvbnm1 asdfjkl1 asdfghjk1 poiuytrewq
  lkjhgfdsa mnbvcxz1 0987654321 9876543210 987654321 87654321 12344321 11223344 1122334455 112233445566 12121212
  123123123 123123123123 123321123 12341234 123412341234 123454321 1234554321 12345654321 123456789a 123456789q 123456789z
  12345678a 12345678q 12345679 12345abc 12345qwe 12345qwert 12345qwerty 1234qwer 123abc123 123456aa 123456ab 123456abc
  123456qw 123456qwe 123456qwerty 123qwe123 123qweasd 123qweasdzxc 123qwe!@# 12qwaszx 12qw34er 135792468 147258369
  147852369 159357456 159753456 159951159 192837465 19841984 19851985 19861986 19871987 19881988 19891989 19901990
  19911991 19921992 19931993 20002000 20012001 20202020 20212021 20222022 20232023 20242024 20252025 20262026 31415926
  314159265 42424242 69696969 741852963 789456123 78945612 963852741 a1b2c3d4 a1b2c3d4e5 a12345678 a123456789 a1234567
  aa12345678 aa123456 aaa11111 ab123456 ab12cd34 abc12345 abc123456 abc123abc abc123def abc1234567 abcd1234 abcd12345
  abcde12345 abcdefg1 abcdef123 abcdef12 asd12345 asd123456 asd123asd asdasd123 asdasdasd asdf1234 asdfasdf asdfqwer
  asdfg123 asdfghjkl asdfghjkl123 asdqwe123 qwe123456 qwe123qwe qwe12345 qweqwe123 qweqweqwe qwer1234 qwerqwer qwert123
  qwert1234 qwert12345 qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertyuiop123 qwertz123
  azerty123 azertyuiop zxc12345 zxc123456 zxcv1234 zxcvbnm123 zxcvzxcv zaq123456 wasdwasd p4ssw0rd passw0rd pa55word
  pa55w0rd pa$$w0rd pa$$word p@ssw0rd p@ssword passwort passord1 motdepasse motdepasse1 contraseña contrasena clave1234
  senha123 senha1234 heslo123 parola123 haslo123 lozinka1 salasana salasana1 wachtwoord wachtwoord1 kennwort kennwort1
  geheim123 geheimnis iloveyou iloveyou1 iloveyou2 iloveyou3 iloveu123 ihateyou iloveme1 ilovegod imissyou trustno1
  letmein1 letmein123 letmeinnow openup123 welcome1 welcome123 welcome01 welcome2 changeme changeme1 changeme123
  changeit changethis changenow default1 default123 administrator admin123 admin1234 admin12345 admin123456 admin@123
  adminadmin admin!@# root1234 rootroot toor1234 superuser superman batman123 spiderman starwars1 whatever whatever1
  sunshine sunshine1 princess princess1 football football1 baseball baseball1 basketball softball volleyball hockey123
  jennifer jessica1 michelle michael1 michaela jordan23 jordan123 charlie1 charlotte samantha elizabeth alexander
  alexandra nicholas christina christian christopher stephanie danielle patricia veronica victoria valentina benjamin
  jonathan jonathan1 brandon1 anthony1 matthew1 andrew123 daniel123 thomas123 ashley123 computer computer1 internet
  internet1 security secret123 topsecret secretsecret supersecret pokemon1 pokemon123 nintendo playstation minecraft
  minecraft1 fortnite fortnite1 roblox123 liverpool liverpool1 chelsea1 arsenal1 arsenal123 barcelona barcelona1
  realmadrid juventus1 manchester mustang1 corvette mercedes mercedes1 porsche911 ferrari1 yamaha123 diamond1 dolphin1
  dolphins elephant butterfly chocolate chocolate1 cookie123 cocacola cherry123 banana123 pineapple strawberry
  blueberry sweetheart lovelove loveyou1 lovely123 loveme123 lovers123 forever1 babygirl babygirl1 beautiful beautiful1
  gorgeous princesa teamo123 tequiero familia1 amorcito angel123 angelica angels123 jesus123 jesuschrist godisgood
  godbless blessed1 blessing heaven123 faith123 trinity1 midnight midnight1 moonlight rainbow1 rainbow123 scorpion
  shadow123 silver123 slipknot snowball snoopy123 skywalker startrek startrek1 stargate stargate1 tinkerbell
  undertaker hello123 hello1234 hello12345 hellohello helloworld hellokitty goodluck goodbye1 freedom1 freedom123
  friends1 friendship happy123 happyday harley123 holiday1 killer123 killers1 ladybug1 maverick mickey123 monkey123
  monster1 monster123 newyork1 number1one nothing1 nopassword noaccess password password1 password2 password12
  password123 password1234 password12345 password! password!1 passwords passpass pass1234 pass12345 pass123456 pass@123
  pass@word1 passphrase pavilion phoenix1 pumpkin1 qwaszx12 qwerty!@# redskins richard1 robert123 samsung1 samsung123
  scooter1 september october1 november december january1 february summer123 summer01 winter123 spring123 autumn123
  monday123 friday123 steelers tester123 test1234 test12345 test123456 testtest testing1 testing123 temp1234 temppass
  temporary temporary1 guest123 user1234 username username1 login123 loginlogin access14 account1 backup123 server123
  oracle123 mysql123 postgres postgres1 database1 cisco123 network1 wireless vagrant1 raspberry ubuntu123 linux123
  windows1 windows10 microsoft google123 facebook facebook1 linkedin instagram youtube1 twitter1 apple123 iphone123
  android1 zaqwsxcde zxasqw12 zxcasdqwe zxcvasdf !qaz2wsx 1qaz!qaz !@#$%^&* !@#$%^&*( !@#$qwer correcthorsebatterystaple
  thisisapassword mypassword mypassword1 yourpassword newpassword newpassword1 oldpassword ourpassword companyname
  strongroom strongroom1`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Refused with any digits and signs before or after them, and with letters written as digits. */
export const commonWords: ReadonlySet<string> = new Set(
  `password passwort passwd pass passphrase welcome willkommen bienvenue letmein changeme admin administrator root user
  guest login test testing temp temporary default secret geheim master access qwerty qwertz azerty asdf asdfgh asdfghjkl
  zxcvbn zxcvbnm qwer qwert qwertyuiop iloveyou love hello monkey dragon sunshine princess football baseball superman
  batman shadow michael jordan summer winter spring autumn fall sommer january february march april may june july august
  september october november december monday tuesday wednesday thursday friday saturday sunday company office document
  documents strongroom abc abcd abcdef`
    .split(/\s+/)
    .filter((word) => word !== ''),
);
